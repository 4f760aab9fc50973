internal import CJSONC

/// Parsed JSON text.
///
/// Strict (RFC 8259): UTF-8 only, no comments, nothing after the value. At most 100 levels, 500 000 values and 100 000
/// arrays and objects. Of members with one name the last counts. Numbers keep their text, so that 4.20 stays 4.20.
public final class JSONDocument {
  private let object: OpaquePointer?

  /// - Throws: `MessageError`: `.notJSON` with the offset, `.invalidUTF8`, `.embeddedNUL`, `.tooDeep`,
  ///   `.tooManyFields`.
  public convenience init(parsing text: UnsafeRawBufferPointer) throws(MessageError) {
    let bytes = text.assumingMemoryBound(to: UInt8.self)
    var scanner = JSONScanner(bytes)
    try scanner.scan()
    if scanner.oversizedIntegerEnds.isEmpty {
      self.init(owning: try Self.parse(bytes))
    } else {
      try self.init(marking: scanner.oversizedIntegerEnds, in: bytes)
    }
  }

  /// The same from an array.
  public convenience init(parsing text: [UInt8]) throws(MessageError) {
    let object = try text.withUnsafeBufferPointer { (bytes) throws(MessageError) in
      try JSONDocument(parsing: UnsafeRawBufferPointer(bytes)).retainedObject()
    }
    self.init(owning: object)
  }

  /// json-c keeps the text of fractions, but cuts integers down to 64 bits. It gets oversized ones with an exponent
  /// that changes nothing and that `JSONValue` takes off again.
  private convenience init(marking ends: [Int], in bytes: UnsafeBufferPointer<UInt8>) throws(MessageError) {
    var marked: [UInt8] = []
    marked.reserveCapacity(bytes.count + ends.count * Self.oversizedIntegerMark.utf8.count)
    var start = 0
    for end in ends {
      marked.append(contentsOf: bytes[start..<end])
      marked.append(contentsOf: Self.oversizedIntegerMark.utf8)
      start = end
    }
    marked.append(contentsOf: bytes[start...])
    let object = try marked.withUnsafeBufferPointer { (bytes) throws(MessageError) in try Self.parse(bytes) }
    self.init(owning: object)
  }

  private init(owning object: OpaquePointer?) { self.object = object }

  deinit { json_object_put(object) }

  /// The document's value.
  public var root: JSONValue { JSONValue(document: self, object: object) }

  static let oversizedIntegerMark = "e+00"

  private func retainedObject() -> OpaquePointer? { json_object_get(object) }

  /// `bytes` have passed the scanner, so that only the order of the tokens is left to be wrong.
  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(MessageError) -> OpaquePointer? {
    guard let count = Int32(exactly: bytes.count) else { throw .notJSON(offset: 0, reason: "longer than 2 GiB") }
    // More levels than the scanner lets through: json-c counts a value in a container as a level.
    let levels = Int32(JSONScanner.maxDepth + 2)
    guard let tokener = json_tokener_new_ex(levels) else { fatalError("out of memory for JSON") }
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS)
    let object = bytes.withMemoryRebound(to: CChar.self) { json_tokener_parse_ex(tokener, $0.baseAddress, count) }
    var end = json_tokener_get_parse_end(tokener)
    var status = json_tokener_get_error(tokener)
    if status == json_tokener_continue {
      // A number at the very end could go on; a blank ends it.
      let completed = json_tokener_parse_ex(tokener, " ", 1)
      end = bytes.count
      status = json_tokener_get_error(tokener)
      if status == json_tokener_success { return completed }
      throw .notJSON(offset: bytes.count, reason: "the text ends too early")
    }
    guard status == json_tokener_success else {
      throw .notJSON(offset: end, reason: String(cString: json_tokener_error_desc(status)))
    }
    if let rest = bytes[end...].firstIndex(where: { ![0x20, 0x0a, 0x0d, 0x09].contains($0) }) {
      json_object_put(object)
      throw .notJSON(offset: rest, reason: "something follows the value")
    }
    return object
  }
}
