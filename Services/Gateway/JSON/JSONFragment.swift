/// One value inside a JSON text (RFC 8259), as the bytes that it is written in.
///
/// The gateway passes messages on: it looks at a few members and must not change the rest, not even how a number is
/// written. So nothing is built from the text; members are found by going through the bytes. A `JSONDocument` of the same
/// message would take 100 bytes for each of its values, up to 50 MB, only to be written out again.
struct JSONFragment: Sendable {
  enum Kind: Sendable { case object, array, string, number, bool, null }

  /// The value without white space around it; checked to be valid.
  let bytes: ArraySlice<UInt8>

  /// Checks all of `bytes`.
  init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .notUTF8 }
    var scanner = JSONScanner(bytes[...])
    scanner.skipSpace()
    let value = try scanner.skipValue()
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw .unexpected(offset: scanner.position) }
    self.bytes = value
  }

  private init(valid bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  var kind: Kind {
    switch bytes.first {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// The value as text.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// A string's characters; nil for other kinds, and for a string with half a surrogate pair, which has no characters.
  var string: String? { kind == .string ? JSONString.decode(bytes.dropFirst().dropLast()) : nil }

  /// The object's member of that name, the last one when there are several; nil when there is none or this is no object.
  func member(_ name: String) -> JSONFragment? {
    var found: JSONFragment?
    forEachMember { if $0 == name { found = $1 } }
    return found
  }

  /// Goes through an object's members in their order; through nothing when this is no object.
  func forEachMember(_ body: (_ name: String, _ value: JSONFragment) -> Void) {
    guard kind == .object else { return }
    var scanner = JSONScanner(bytes.dropFirst())
    do {
      scanner.skipSpace()
      guard scanner.peek != UInt8(ascii: "}") else { return }
      repeat {
        scanner.skipSpace()
        let name = try scanner.skipString()
        scanner.skipSpace()
        try scanner.take(UInt8(ascii: ":"))
        scanner.skipSpace()
        let value = try scanner.skipValue()
        body(JSONString.decode(name.dropFirst().dropLast()) ?? "", JSONFragment(valid: value))
        scanner.skipSpace()
      } while scanner.takeIfNext(UInt8(ascii: ","))
    } catch {
      preconditionFailure("a text that was checked is broken: \(error)")
    }
  }
}

/// Why a text is no JSON.
enum JSONSyntaxError: Error, Equatable, CustomStringConvertible {
  case notUTF8
  case unexpectedEnd
  case unexpected(offset: Int)
  case tooDeep(limit: Int)

  var description: String {
    switch self {
    case .notUTF8: "the text is not UTF-8"
    case .unexpectedEnd: "the JSON ends too early"
    case .unexpected(let offset): "the JSON is broken at byte \(offset)"
    case .tooDeep(let limit): "the JSON is nested deeper than \(limit) levels"
    }
  }
}
