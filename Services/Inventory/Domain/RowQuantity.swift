/// The quantity of a snapshot's row, as it came.
enum RowQuantity: Sendable, Equatable {
  /// Sellable units; negative ones are applied as 0.
  case units(Int64)
  case missing
  /// Not a whole number: the text that stood there.
  case notWhole(String)
  /// A whole number beyond 64 bits: the text that stood there.
  case outOfRange(String)

  init(_ units: Int64?) {
    self = units.map { .units($0) } ?? .missing
  }

  /// Reads the text of the bus, where senders write 5 as `5`, `"5"` or, from a decimal column, `"5.0000"`.
  init(text: String?) {
    guard let text else {
      self = .missing
      return
    }
    var bytes = Substring(text).utf8
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let rest = bytes.dropFirst(digits.count)
    let isWhole =
      rest.isEmpty || rest.first == UInt8(ascii: ".") && rest.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") }
    guard !digits.isEmpty, isWhole else {
      self = .notWhole(text)
      return
    }
    guard let units = Int64((isNegative ? "-" : "") + String(Substring(digits))) else {
      self = .outOfRange(text)
      return
    }
    self = .units(units)
  }
}
