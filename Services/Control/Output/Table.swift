/// Columns under headings: numbers to the right, everything else to the left, two blanks between.
struct Table {
  enum Alignment { case left, right }

  struct Column {
    let heading: String
    let alignment: Alignment

    static func left(_ heading: String) -> Column { Column(heading: heading, alignment: .left) }
    static func right(_ heading: String) -> Column { Column(heading: heading, alignment: .right) }
  }

  let columns: [Column]
  private(set) var rows: [[String]] = []

  init(_ columns: Column...) { self.columns = columns }

  mutating func add(_ cells: String...) {
    precondition(cells.count == columns.count, "a row has as many cells as there are columns")
    rows.append(cells.map(DisplayText.withoutControls))
  }

  /// Lines with a newline at the end of each; without blanks at their ends.
  /// - Parameter bold: how headings stand out on a terminal.
  func render(bold: Bool = false) -> String {
    let widths = columns.indices.map { column in
      rows.reduce(DisplayText.width(columns[column].heading)) { max($0, DisplayText.width($1[column])) }
    }
    let heading = line(columns.map(\.heading), widths)
    let first = bold ? "\u{1B}[1m\(heading)\u{1B}[0m" : heading
    return ([first] + rows.map { line($0, widths) }).map { $0 + "\n" }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { text += "  " }
      let fill = String(repeating: " ", count: widths[index] - DisplayText.width(cell))
      text += columns[index].alignment == .right ? fill + cell : cell + fill
    }
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
