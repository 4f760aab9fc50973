import Messages

/// An exact decimal number with up to 12 places after the point: amounts, quantities, rates. Money is never binary floating
/// point, whose sums miss by a cent.
///
/// Held as a whole number of 10⁻¹², between −10²⁶ and 10²⁶. Operations whose result has no place in there trap, as Swift's
/// integers do; what comes from outside is held to ``limit`` when it is read, so that no product of two of them and no sum of
/// such products comes near.
public struct Decimal: Sendable, Hashable {
  /// Places after the point.
  static let places = 12
  static let one: Int128 = 1_000_000_000_000
  /// The largest number that is read: 10¹². It is enough for any order in any currency.
  public static let limit = Decimal(1_000_000_000_000)

  let units: Int128

  init(units: Int128) { self.units = units }

  public init(_ integer: Int) { units = Int128(integer) * Self.one }

  public static let zero = Decimal(0)

  /// Reads `12.5`, `-.5`, `1e3`. Digits beyond the twelfth place are rounded, half away from zero, as Magento stores amounts
  /// that PHP has calculated.
  ///
  /// - Returns: nil when the text is no decimal number, or one beyond ``limit``.
  public init?(_ text: some StringProtocol) {
    guard let parts = DecimalText(text.utf8) else { return nil }
    let digits = parts.digits.drop { $0 == 0 }
    let exponent = parts.exponent + Self.places
    guard digits.count + parts.exponent <= 13 || digits.isEmpty else { return nil }
    var units: Int128 = 0
    let kept = min(max(digits.count + exponent, 0), digits.count)
    for digit in digits.prefix(kept) { units = units * 10 + Int128(digit) }
    if exponent >= 0 {
      for _ in 0..<exponent where units != 0 { units *= 10 }
    } else if digits.count + exponent >= 0, kept < digits.count, digits[digits.startIndex + kept] >= 5 {
      units += 1
    }
    guard units <= Self.limit.units else { return nil }
    self.init(units: parts.isNegative ? -units : units)
  }

  /// Without zeros at the end: `4.2`, `-0.05`, `128`.
  public var text: String {
    let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: Self.one.magnitude)
    let sign = units < 0 ? "-" : ""
    guard rest != 0 else { return "\(sign)\(whole)" }
    var fraction = String(rest + Self.one.magnitude).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return "\(sign)\(whole).\(fraction)"
  }

  public var isZero: Bool { units == 0 }
  public var isNegative: Bool { units < 0 }
  public var magnitude: Decimal { Decimal(units: abs(units)) }

  /// The number as an integer; nil when it has a fraction, or is too large for one.
  public var integer: Int? {
    let (quotient, rest) = units.quotientAndRemainder(dividingBy: Self.one)
    return rest == 0 ? Int(exactly: quotient) : nil
  }

  /// Rounded to that many places, half away from zero, as PHP's `round` does.
  ///
  /// - Parameter places: 0…12.
  public func rounded(_ places: Int) -> Decimal {
    let step = Self.step(places)
    return Decimal(units: Self.divide(units, by: step) * step)
  }

  /// Rounded towards zero.
  public func roundedDown(_ places: Int) -> Decimal {
    let step = Self.step(places)
    return Decimal(units: units / step * step)
  }

  /// Units in the last of that many places.
  static func step(_ places: Int) -> Int128 {
    precondition((0...Self.places).contains(places), "0 to 12 places")
    return (places..<Self.places).reduce(1) { step, _ in step * 10 }
  }

  /// Half away from zero.
  private static func divide(_ dividend: Int128, by divisor: Int128) -> Int128 {
    let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
    guard rest.magnitude >= (divisor.magnitude + 1) / 2 else { return quotient }
    return quotient + (dividend.signum() * divisor.signum())
  }

  public static func + (left: Decimal, right: Decimal) -> Decimal { Decimal(units: left.units + right.units) }
  public static func - (left: Decimal, right: Decimal) -> Decimal { Decimal(units: left.units - right.units) }
  public static prefix func - (number: Decimal) -> Decimal { Decimal(units: -number.units) }
  public static func += (left: inout Decimal, right: Decimal) { left = left + right }
  public static func -= (left: inout Decimal, right: Decimal) { left = left - right }

  /// Rounded to twelve places.
  public static func * (left: Decimal, right: Decimal) -> Decimal {
    let product = left.units.magnitude.multipliedFullWidth(by: right.units.magnitude)
    return Decimal(units: quotient(product, by: one.magnitude, isNegative: (left.units < 0) != (right.units < 0)))
  }

  /// Rounded to twelve places. The divisor must not be 0.
  public static func / (left: Decimal, right: Decimal) -> Decimal {
    let scaled = left.units.magnitude.multipliedFullWidth(by: one.magnitude)
    return Decimal(
      units: quotient(scaled, by: right.units.magnitude, isNegative: (left.units < 0) != (right.units < 0)))
  }

  /// `self` × share ÷ whole, with nothing rounded before the end.
  ///
  /// - Parameters: neither negative; share is at most whole.
  func part(_ share: Decimal, of whole: Decimal) -> Decimal {
    let product = units.magnitude.multipliedFullWidth(by: share.units.magnitude)
    return Decimal(units: Self.quotient(product, by: whole.units.magnitude, isNegative: units < 0))
  }

  private static func quotient(
    _ dividend: (high: UInt128, low: UInt128), by divisor: UInt128, isNegative: Bool
  ) -> Int128 {
    let (quotient, rest) = divisor.dividingFullWidth(dividend)
    let rounded = Int128(quotient) + (rest >= divisor - rest ? 1 : 0)
    return isNegative ? -rounded : rounded
  }
}

extension Decimal: Comparable {
  public static func < (left: Decimal, right: Decimal) -> Bool { left.units < right.units }
}

extension Decimal: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }
}

extension Decimal: CustomStringConvertible {
  public var description: String { text }
}

extension Sequence<Decimal> {
  public func sum() -> Decimal { reduce(.zero, +) }
}

extension Decimal {
  /// - Returns: nil when it is no number, or one beyond ``limit``.
  public init?(_ message: Google.Types.Decimal) { self.init(message.value) }

  public var message: Google.Types.Decimal { .init(value: text) }
}
