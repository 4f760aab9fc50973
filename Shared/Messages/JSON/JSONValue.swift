internal import CJSONC
internal import Glibc

/// One value of a document, which it keeps alive.
public struct JSONValue {
  /// What JSON knows.
  public enum Kind: Sendable {
    case null, bool, number, string, array, object
  }

  private let document: JSONDocument
  let object: OpaquePointer?

  init(document: JSONDocument, object: OpaquePointer?) {
    self.document = document
    self.object = object
  }

  /// Which of the kinds it is.
  public var kind: Kind {
    switch json_object_get_type(object) {
    case json_type_boolean: .bool
    case json_type_int, json_type_double: .number
    case json_type_string: .string
    case json_type_array: .array
    case json_type_object: .object
    default: .null
    }
  }

  /// The member with this name; nil when there is none, or when the value is not an object. A member that is `null` is
  /// there, with the kind `.null`.
  public subscript(name: String) -> JSONValue? {
    guard kind == .object else { return nil }
    var member: OpaquePointer?
    return json_object_object_get_ex(object, name, &member) != 0 ? JSONValue(document: document, object: member) : nil
  }

  /// The elements of an array; nil when the value is not one.
  public var elements: [JSONValue]? {
    guard kind == .array else { return nil }
    return (0..<json_object_array_length(object)).map {
      JSONValue(document: document, object: json_object_array_get_idx(object, $0))
    }
  }

  /// The members of an object in the order of the text; empty when the value is not one.
  public var members: [(name: String, value: JSONValue)] {
    var members: [(name: String, value: JSONValue)] = []
    guard kind == .object else { return members }
    Self.forEachMember(of: object) { name, member in
      members.append((String(decoding: Self.utf8(name), as: UTF8.self), JSONValue(document: document, object: member)))
    }
    return members
  }

  /// The text of a string; nil when the value is not one.
  public var string: String? { kind == .string ? String(decoding: Self.utf8(object), as: UTF8.self) : nil }

  /// The text of a string, or a number or a truth value as it was written: some write the one for the other. nil for `null`, an
  /// array and an object.
  public var scalar: String? {
    switch kind {
    case .string: string
    case .number, .bool: text
    case .null, .array, .object: nil
    }
  }

  /// The whole number that a number or a string says; nil when it says none of 64 bits.
  public var integer: Int64? { scalar.flatMap { Int64($0) } }

  /// The value as JSON text without blanks. Numbers stay as they were written.
  public var text: String {
    var output: [UInt8] = []
    Self.append(object, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// The beginning of `text`, at most 64 characters, for an error message.
  public var excerpt: String { Self.shown(object) }

  /// The same as `text`, as bytes.
  public var serialized: [UInt8] {
    var output: [UInt8] = []
    append(to: &output)
    return output
  }

  /// Writes a member of an object in another way than it is, and answers true; or answers false and writes nothing.
  public typealias MemberWriter = (
    _ name: UnsafeBufferPointer<UInt8>, _ value: JSONValue, _ output: inout [UInt8]
  ) -> Bool

  /// Appends the value as JSON text.
  ///
  /// - Parameter member: asked for the value of each member, on every level.
  public func append(to output: inout [UInt8], member: MemberWriter? = nil) {
    Self.append(object, to: &output, document: document, member: member)
  }
}

// On json-c's values, without the cost of keeping the document alive.
extension JSONValue {
  /// A string's text, valid as long as the value.
  static func utf8(_ string: OpaquePointer?) -> UnsafeBufferPointer<UInt8> {
    let start = UnsafeRawPointer(json_object_get_string(string))?.assumingMemoryBound(to: UInt8.self)
    return UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(json_object_get_string_len(string)))
  }

  /// A C string's text: a member's name.
  static func utf8(_ name: UnsafePointer<CChar>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: strlen(name))
  }

  /// An integer's value; nil when it takes more than 63 bits.
  static func integer(_ number: OpaquePointer?) -> Int64? {
    let integer = json_object_get_int64(number)
    // json-c also says Int64.max for what is larger.
    return integer == .max ? nil : integer
  }

  /// A number as it was written, valid as long as the value.
  static func numberText(_ number: OpaquePointer?) -> UnsafeBufferPointer<UInt8> {
    guard let start = writtenText(number) ?? json_object_get_string(number) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    let text = utf8(start)
    let mark = JSONDocument.oversizedIntegerMark.utf8
    let isMarked = text.count > mark.count && text.suffix(mark.count).elementsEqual(mark)
    return isMarked ? UnsafeBufferPointer(rebasing: text.dropLast(mark.count)) : text
  }

  /// The text that json-c keeps beside a fraction that it has parsed; to have it written anew takes memory for each number.
  private static func writtenText(_ number: OpaquePointer?) -> UnsafePointer<CChar>? {
    guard json_object_get_type(number) == json_type_double, let text = json_object_get_userdata(number) else {
      return nil
    }
    return UnsafePointer(text.assumingMemoryBound(to: CChar.self))
  }

  /// The value as JSON text, cut for an error message.
  static func shown(_ object: OpaquePointer?) -> String {
    var output: [UInt8] = []
    append(object, to: &output, limit: 256)
    let text = String(decoding: output, as: UTF8.self)
    return text.count > 64 ? text.prefix(64) + "…" : text
  }

  /// Appends the value as JSON text; stops early once `limit` bytes are there. The parser's limit bounds the recursion.
  private static func append(
    _ object: OpaquePointer?, to output: inout [UInt8], limit: Int = .max, document: JSONDocument? = nil,
    member other: MemberWriter? = nil
  ) {
    switch json_object_get_type(object) {
    case json_type_boolean: output.append(contentsOf: (json_object_get_boolean(object) != 0 ? "true" : "false").utf8)
    case json_type_int:
      if let integer = integer(object) {
        output.append(contentsOf: String(integer).utf8)
      } else {
        output.append(contentsOf: numberText(object))
      }
    case json_type_double: output.append(contentsOf: numberText(object))
    case json_type_string: JSONText.append(utf8: utf8(object), to: &output)
    case json_type_array:
      output.append(UInt8(ascii: "["))
      for index in 0..<json_object_array_length(object) where output.count < limit {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        append(
          json_object_array_get_idx(object, index), to: &output, limit: limit, document: document, member: other)
      }
      output.append(UInt8(ascii: "]"))
    case json_type_object:
      output.append(UInt8(ascii: "{"))
      var isFirst = true
      forEachMember(of: object) { name, member in
        if output.count >= limit { return }
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        let name = utf8(name)
        JSONText.append(utf8: name, to: &output)
        output.append(UInt8(ascii: ":"))
        if let other, let document, other(name, JSONValue(document: document, object: member), &output) { return }
        append(member, to: &output, limit: limit, document: document, member: other)
      }
      output.append(UInt8(ascii: "}"))
    default: output.append(contentsOf: "null".utf8)
    }
  }

  /// The members of an object in the order of the text.
  static func forEachMember<E: Error>(
    of object: OpaquePointer?, _ body: (UnsafePointer<CChar>, OpaquePointer?) throws(E) -> Void
  ) throws(E) {
    var iterator = json_object_iter_begin(object)
    var end = json_object_iter_end(object)
    while json_object_iter_equal(&iterator, &end) == 0 {
      if let name = json_object_iter_peek_name(&iterator) { try body(name, json_object_iter_peek_value(&iterator)) }
      json_object_iter_next(&iterator)
    }
  }
}
