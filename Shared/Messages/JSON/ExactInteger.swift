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

  init(_ text: UnsafeBufferPointer<UInt8>) {
    guard let number = DecimalText(text) else {
      self = .none
      return
    }
    guard number.digitCount > 0 else {
      self = .value(isNegative: false, magnitude: 0)
      return
    }
    guard !number.isCut else {
      self = number.exponent < 0 ? .fraction : .tooLarge
      return
    }
    var (magnitude, exponent) = (number.coefficient, number.exponent)
    while exponent < 0, magnitude.isMultiple(of: 10) {
      magnitude /= 10
      exponent += 1
    }
    if exponent < 0 {
      self = .fraction
    } else if number.digitCount + number.exponent > 20 {
      self = .tooLarge
    } else {
      for _ in 0..<exponent { magnitude *= 10 }
      self = UInt64(exactly: magnitude).map { .value(isNegative: number.isNegative, magnitude: $0) } ?? .tooLarge
    }
  }
}
