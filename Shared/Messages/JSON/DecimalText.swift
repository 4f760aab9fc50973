/// The parts of a decimal number's text as `google.type.Decimal` has it: sign, digits with or without a point, exponent.
///
/// Read in one pass and without memory of its own: an order has hundreds of them.
package struct DecimalText {
  /// Digits that the coefficient can hold.
  package static let digitLimit = 38

  package private(set) var isNegative = false
  /// The first digits, from the first that is not 0.
  package private(set) var coefficient: UInt128 = 0
  /// Digits of the coefficient; 0 of the number 0.
  package private(set) var digitCount = 0
  /// The number is coefficient × 10^exponent. Held within ±1 000 000 of what the digits say.
  package private(set) var exponent = 0
  /// Whether digits other than 0 have no place in the coefficient.
  package private(set) var isCut = false
  /// Whether the text is a number of JSON as it stands (RFC 8259 §6).
  package private(set) var isJSON = true

  /// Nil when the text is not a decimal number.
  package init?(_ text: String) {
    var text = text
    guard let number = text.withUTF8({ DecimalText($0) }) else { return nil }
    self = number
  }

  /// Nil when the text is not a decimal number.
  package init?(_ text: UnsafeBufferPointer<UInt8>) {
    var reader = Reader(text: text)
    if let sign = reader.sign() {
      isNegative = sign == UInt8(ascii: "-")
      isJSON = isNegative
    }
    let first = reader.position
    while let digit = reader.digit() { add(digit) }
    let whole = reader.position - first
    if whole == 0 || whole > 1 && text[first] == UInt8(ascii: "0") { isJSON = false }
    var fraction = 0
    if reader.take(UInt8(ascii: ".")) {
      while let digit = reader.digit() {
        add(digit)
        fraction += 1
      }
      if fraction == 0 { isJSON = false }
    }
    guard whole + fraction > 0, let power = reader.exponent(), reader.isAtEnd else { return nil }
    exponent += power - fraction
  }

  private mutating func add(_ digit: UInt8) {
    if digitCount == 0, digit == 0 { return }
    guard digitCount < Self.digitLimit else {
      exponent += 1
      if digit != 0 { isCut = true }
      return
    }
    coefficient = coefficient * 10 + UInt128(digit)
    digitCount += 1
  }

  private struct Reader {
    let text: UnsafeBufferPointer<UInt8>
    var position = 0

    var isAtEnd: Bool { position == text.count }

    mutating func take(_ byte: UInt8) -> Bool {
      guard position < text.count, text[position] == byte else { return false }
      position += 1
      return true
    }

    mutating func sign() -> UInt8? {
      if take(UInt8(ascii: "-")) { return UInt8(ascii: "-") }
      return take(UInt8(ascii: "+")) ? UInt8(ascii: "+") : nil
    }

    mutating func digit() -> UInt8? {
      guard position < text.count, case let digit = text[position] &- UInt8(ascii: "0"), digit <= 9 else { return nil }
      position += 1
      return digit
    }

    /// 0 where there is none; nil where one begins and has no digits.
    mutating func exponent() -> Int? {
      guard take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) else { return 0 }
      let isNegative = sign() == UInt8(ascii: "-")
      var value: Int?
      while let digit = digit() { value = min((value ?? 0) * 10 + Int(digit), 1_000_000) }
      return value.map { isNegative ? -$0 : $0 }
    }
  }
}
