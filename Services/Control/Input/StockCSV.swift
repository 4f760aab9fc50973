import Messages

/// Stock rows of a CSV file: a heading with `sku`, `quantity` and perhaps `unlimited`, and a line for each SKU.
struct StockCSV {
  typealias Item = Omsconnector.V1.StockItem

  /// Rows of one message.
  static let partRows = 5_000
  /// Texts of one message, which has to stay below 4 MiB.
  static let partBytes = 1 << 20
  /// Wrong lines that are named.
  static let namedProblems = 20

  /// Rows that go in one message.
  struct Part: Equatable {
    var items: [Item] = []
    /// Where in the file each of them begins.
    var lines: [Int] = []
  }

  let parts: [Part]
  let rows: Int

  /// Reads all of it, so that nothing is sent of a file that is wrong further down.
  init(name: String, bytes: [UInt8]) throws(UsageError) {
    var reader = CSVReader(bytes)
    var problems: [String] = []
    var (parts, part, partBytes, rows) = ([Part](), Part(), 0, 0)
    do throws(UsageError) {
      guard let heading = try reader.next() else {
        throw UsageError("no heading; the first line has to be sku,quantity")
      }
      let columns = try Columns(heading)
      while problems.count < Self.namedProblems, let record = try reader.next() {
        let item: Item
        do throws(UsageError) { item = try columns.item(record) } catch {
          problems.append(error.description)
          continue
        }
        if part.items.count == Self.partRows || partBytes > Self.partBytes {
          parts.append(part)
          (part, partBytes) = (Part(), 0)
        }
        part.items.append(item)
        part.lines.append(record.line)
        partBytes += item.sku.utf8.count
        rows += 1
      }
    } catch {
      problems.append(error.description)
    }
    guard problems.isEmpty else {
      throw UsageError(
        "\(name), \(problems.joined(separator: "\n  ")); nothing was sent, see omsctl stock import --help")
    }
    if !part.items.isEmpty { parts.append(part) }
    guard rows > 0 else { throw UsageError("\(name) has no row below its heading; nothing was sent") }
    (self.parts, self.rows) = (parts, rows)
  }

  /// Where in a line what stands.
  private struct Columns {
    private let count: Int
    private let sku: Int
    private let quantity: Int
    private let unlimited: Int?

    init(_ heading: CSVReader.Record) throws(UsageError) {
      let names = heading.fields.map { $0.lowercased().filter { $0 != " " } }
      let line = "line \(heading.line): "
      for (index, name) in names.enumerated() {
        guard ["sku", "quantity", "unlimited"].contains(name) else {
          let hint = name.contains(";") || name.contains("\t") ? "; columns are separated by commas" : ""
          throw UsageError("\(line)column \"\(name.prefix(40))\" is not sku, quantity or unlimited\(hint)")
        }
        if names[..<index].contains(name) { throw UsageError("\(line)column \(name) comes twice") }
      }
      guard let sku = names.firstIndex(of: "sku"), let quantity = names.firstIndex(of: "quantity") else {
        throw UsageError("\(line)the heading needs the columns sku and quantity")
      }
      (count, self.sku, self.quantity) = (names.count, sku, quantity)
      unlimited = names.firstIndex(of: "unlimited")
    }

    func item(_ record: CSVReader.Record) throws(UsageError) -> Item {
      let fields = record.fields
      func problem(_ text: String) -> UsageError { UsageError("line \(record.line): \(text)") }
      guard fields.count == count else { throw problem("\(fields.count) columns, the heading has \(count)") }
      guard !fields[sku].isEmpty else { throw problem("no sku") }
      let text = fields[quantity].filter { $0 != " " }
      guard let units = Int64(text) else {
        throw problem("quantity \"\(fields[quantity].prefix(40))\" of \(fields[sku].prefix(64)) is not a whole number")
      }
      return Item(sku: fields[sku], quantity: units, unlimited: try isUnlimited(fields, problem))
    }

    private func isUnlimited(
      _ fields: [String], _ problem: (String) -> UsageError
    ) throws(UsageError) -> Bool {
      guard let unlimited else { return false }
      switch fields[unlimited].lowercased().filter({ $0 != " " }) {
      case "true", "yes", "1": return true
      case "false", "no", "0", "": return false
      default: throw problem("unlimited \"\(fields[unlimited].prefix(40))\" is not true or false")
      }
    }
  }
}
