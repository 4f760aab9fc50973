import Messages

/// An exact decimal number with up to 12 places after the point: amounts, quantities, rates. Money is never binary floating
/// point, whose sums miss by a cent.
///
/// Held as a whole number of 10⁻¹², between −1.7·10²⁶ and 1.7·10²⁶. Operations whose result has no place in there trap, as Swift's
/// integers do. What comes from outside is held to ``limit`` when it is read: sums of such numbers and the product of two of them
/// have a place. Products of sums, and quotients by a small number, need not have one: whoever makes them holds what goes in to
/// narrower limits first, or asks ``scaled(by:over:)``.
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
    guard let number = DecimalText(String(text)) else { return nil }
    let exponent = number.exponent + Self.places
    // Beyond the limit, and beyond what Int128 holds; 0 has no digits.
    guard number.digitCount + number.exponent <= 13 || number.digitCount == 0 else { return nil }
    var units = Int128(number.coefficient)
    if exponent >= 0 {
      for _ in 0..<exponent where units != 0 { units *= 10 }
    } else if -exponent <= number.digitCount {
      let divisor = Self.power(-exponent)
      let (quotient, rest) = units.quotientAndRemainder(dividingBy: divisor)
      units = quotient + (rest >= divisor / 2 ? 1 : 0)
    } else {
      units = 0
    }
    guard units <= Self.limit.units else { return nil }
    self.init(units: number.isNegative ? -units : units)
  }

  /// Without zeros at the end: `4.2`, `-0.05`, `128`.
  public var text: String {
    let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: Self.one.magnitude)
    let sign = units < 0 ? "-" : ""
    guard rest != 0 else { return "\(sign)\(whole)" }
    // Less than 10¹²; a division of 64 bits is many times cheaper.
    var (fraction, places) = (UInt64(rest), Self.places)
    while fraction.isMultiple(of: 10) {
      fraction /= 10
      places -= 1
    }
    let digits = String(fraction)
    return "\(sign)\(whole).\(String(repeating: "0", count: places - digits.utf8.count))\(digits)"
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
    return power(Self.places - places)
  }

  /// 10 to that power, 38 at most.
  private static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

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

  /// Rounded to twelve places. The divisor must not be 0, and not so small that the result has no place.
  public static func / (left: Decimal, right: Decimal) -> Decimal {
    let scaled = left.units.magnitude.multipliedFullWidth(by: one.magnitude)
    return Decimal(
      units: quotient(scaled, by: right.units.magnitude, isNegative: (left.units < 0) != (right.units < 0)))
  }

  /// `self` × share ÷ whole, with nothing rounded before the end, to twelve places.
  ///
  /// - Returns: nil when the whole is 0, and when the result is beyond 10²⁴, the product of two numbers that can be read.
  public func scaled(by share: Decimal, over whole: Decimal) -> Decimal? {
    let divisor = whole.units.magnitude
    let product = units.magnitude.multipliedFullWidth(by: share.units.magnitude)
    // The quotient of a dividend whose upper half is not less than the divisor has more digits than there are.
    guard product.high < divisor else { return nil }
    let (quotient, rest) = divisor.dividingFullWidth(product)
    guard quotient <= Self.largestScaled else { return nil }
    let rounded = Int128(quotient) + (rest >= divisor - rest ? 1 : 0)
    let isNegative = [self, share, whole].count { $0.isNegative } % 2 == 1
    return Decimal(units: isNegative ? -rounded : rounded)
  }

  /// 10²⁴.
  private static let largestScaled = UInt128(power(36))

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
