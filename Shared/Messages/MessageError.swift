/// Why bytes or JSON text are not the message that they should be. The field is a path such as `snapshot.stock[3].sku`
/// for JSON, and `omsconnector.v1.StockItem.sku` for bytes; empty for the message as a whole.
public enum MessageError: Error, Sendable, Equatable {
  /// The bytes are not protobuf, or not of this message.
  case malformed(field: String, reason: String)
  /// A text is not UTF-8.
  case invalidUTF8(field: String)
  /// A text holds a NUL character, which cannot be passed on.
  case embeddedNUL(field: String)
  /// Messages or JSON values are nested deeper than 100 levels.
  case tooDeep(field: String)
  /// More than 500 000 fields and list elements.
  case tooManyFields(field: String)
  /// The text is not JSON; `offset` in bytes from 0.
  case notJSON(offset: Int, reason: String)
  /// A JSON value does not fit its field.
  case unfit(field: String, value: String, reason: String)
}

extension MessageError: CustomStringConvertible {
  /// Thing, value and remedy in one line without a full stop.
  public var description: String {
    switch self {
    case .malformed(let field, let reason): Self.at(field, reason)
    case .invalidUTF8(let field): Self.at(field, "the text is not UTF-8; send UTF-8")
    case .embeddedNUL(let field): Self.at(field, "the text holds a NUL character; leave it out")
    case .tooDeep(let field): Self.at(field, "nested deeper than 100 levels")
    case .tooManyFields(let field): Self.at(field, "more than 500000 fields; send several messages")
    case .notJSON(let offset, let reason): "not JSON at byte \(offset): \(reason)"
    case .unfit(let field, let value, let reason): Self.at(field, "\(value) \(reason)")
    }
  }

  private static func at(_ field: String, _ text: String) -> String { field.isEmpty ? text : "\(field): \(text)" }
}
