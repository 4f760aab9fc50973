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

  mutating func add(_ cells: String...) { add(cells) }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row has as many cells as there are columns")
    rows.append(cells.map(DisplayText.withoutControls))
  }

  /// What each column takes on a terminal.
  /// - Parameter minimums: of the tables above it that it goes on; empty when it stands alone.
  func widths(atLeast minimums: [Int] = []) -> [Int] {
    columns.indices.map { column in
      let least = minimums.isEmpty ? DisplayText.width(columns[column].heading) : minimums[column]
      return rows.reduce(least) { max($0, DisplayText.width($1[column])) }
    }
  }

  /// Lines with a newline at the end of each; without blanks at their ends.
  /// - Parameter bold: whether headings stand out, for a terminal.
  func render(bold: Bool = false, heading: Bool = true, minimumWidths: [Int] = []) -> String {
    let widths = widths(atLeast: minimumWidths)
    var lines = rows.map { line($0, widths) }
    if heading {
      let first = line(columns.map(\.heading), widths)
      lines.insert(bold ? "\u{1B}[1m\(first)\u{1B}[0m" : first, at: 0)
    }
    return lines.map { $0 + "\n" }.joined()
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
