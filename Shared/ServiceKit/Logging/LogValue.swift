/// A value of a log line's field. Literals and interpolations work: `["rows": 12, "path": "\(path)"]`.
public enum LogValue: Sendable, Equatable {
  case text(String)
  case integer(Int64)
  /// Not-a-number and infinities are written as text, because JSON has no numbers for them.
  case number(Double)
  case bool(Bool)
  case list([String])

  public init(_ value: String) { self = .text(value) }
  public init<Value: BinaryInteger>(_ value: Value) { self = .integer(Int64(clamping: value)) }
  public init(_ value: Bool) { self = .bool(value) }
  public init(_ value: Double) { self = .number(value) }
  /// Milliseconds, to the microsecond.
  public init(_ value: Duration) {
    let (seconds, attoseconds) = value.components
    self = .number((Double(seconds) * 1e6 + (Double(attoseconds) / 1e12)).rounded() / 1e3)
  }
  /// A delivery's id of the service bus, which is JSON text: of a plain string its contents, so that one finds in the log
  /// what the OMS shows.
  public static func deliveryID(_ json: String) -> LogValue {
    let isPlain = json.utf8.count >= 2 && json.hasPrefix("\"") && json.hasSuffix("\"") && !json.contains("\\")
    return .text(isPlain ? String(json.dropFirst().dropLast()) : json)
  }
  /// What an error says about itself.
  public init(_ error: any Error) { self = .text(String(describing: error)) }
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  public init(stringLiteral value: String) { self = .text(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: String...) { self = .list(elements) }
}
