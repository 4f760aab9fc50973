/// A whole number read exactly from decimal text: `14`, `-3`, `14.0`, `1.5e3`, but not `14.5`.
enum ExactInteger: Equatable {
  /// Sign and amount.
  case value(isNegative: Bool, magnitude: UInt64)
  /// A whole number of more than 64 bits.
  case tooLarge
  /// A number with a fraction.
  case fraction
  /// No number.
  case none

  init(_ text: some Collection<UInt8>) {
    guard let number = DecimalText(text) else {
      self = .none
      return
    }
    let digits = number.digits
    guard let last = digits.lastIndex(where: { $0 != 0 }) else {
      self = .value(isNegative: false, magnitude: 0)
      return
    }
    // digits × 10^exponent, without the zeros at the end
    let exponent = number.exponent + (digits.count - 1 - last)
    guard exponent >= 0 else {
      self = .fraction
      return
    }
    var magnitude: UInt64 = 0
    let significant = digits[...last].drop { $0 == 0 }
    guard significant.count + exponent <= 20 else {
      self = .tooLarge
      return
    }
    for digit in significant + Array(repeating: 0, count: exponent) {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = product.addingReportingOverflow(UInt64(digit))
      if overflow || overflows {
        self = .tooLarge
        return
      }
      magnitude = sum
    }
    self = .value(isNegative: number.isNegative, magnitude: magnitude)
  }
}

/// The parts of a decimal number's text as `google.type.Decimal` has it: sign, digits with or without a point,
/// exponent.
package struct DecimalText {
  package var isNegative = false
  /// 0…9, leading zeros included; the point is in the exponent.
  package var digits: [UInt8] = []
  /// The number is digits × 10^exponent. Held within ±1 000 000.
  package var exponent = 0

  /// Nil when the text is not a decimal number.
  package init?(_ text: some Collection<UInt8>) {
    var rest = text[...]
    func take(_ allowed: String) -> UInt8? {
      guard let first = rest.first, allowed.utf8.contains(first) else { return nil }
      rest = rest.dropFirst()
      return first
    }
    isNegative = take("+-") == UInt8(ascii: "-")
    while let digit = take("0123456789") { digits.append(digit - UInt8(ascii: "0")) }
    if take(".") != nil {
      while let digit = take("0123456789") {
        digits.append(digit - UInt8(ascii: "0"))
        exponent -= 1
      }
    }
    if digits.isEmpty { return nil }
    if take("eE") != nil {
      let isNegativeExponent = take("+-") == UInt8(ascii: "-")
      var value: Int?
      while let digit = take("0123456789") {
        value = min((value ?? 0) * 10 + Int(digit - UInt8(ascii: "0")), 1_000_000)
      }
      guard let value else { return nil }
      exponent += isNegativeExponent ? -value : value
    }
    if !rest.isEmpty { return nil }
  }
}
