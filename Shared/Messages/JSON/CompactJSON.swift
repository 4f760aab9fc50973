/// JSON text that has been checked and freed of blanks, to be handed on and looked into without a tree of its values.
///
/// Numbers and names are as they were written, and members of one name are all there, of which the last counts. As strict as
/// ``JSONDocument``, with its limits.
public struct CompactJSON: Sendable {
  private let storage: [UInt8]
  private let range: Range<Int>

  /// - Throws: `MessageError`, as ``JSONDocument/init(parsing:)`` does.
  public init(parsing text: [UInt8]) throws(MessageError) {
    if let compact = JSONCompactor.compact(text) {
      storage = compact
    } else {
      // With escapes, or not well-formed: the parser knows what to make of it.
      storage = try JSONDocument(parsing: text).root.serialized
    }
    range = 0..<storage.count
  }

  private init(_ storage: [UInt8], _ range: Range<Int>) {
    self.storage = storage
    self.range = range
  }

  /// The value as JSON text without blanks.
  public var bytes: [UInt8] { range.count == storage.count ? storage : Array(storage[range]) }

  /// The same as text.
  public var text: String { String(decoding: storage[range], as: UTF8.self) }

  /// The beginning of `text`, at most 64 characters, for an error message.
  public var excerpt: String {
    let text = String(decoding: storage[range].prefix(256), as: UTF8.self)
    return text.count > 64 ? text.prefix(64) + "…" : text
  }

  /// Which of JSON's kinds it is.
  public var kind: JSONValue.Kind {
    switch storage[range.lowerBound] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// The text of a string; nil when the value is not one.
  public var string: String? {
    guard kind == .string else { return nil }
    let inner = storage[range].dropFirst().dropLast()
    if !inner.contains(UInt8(ascii: "\\")) { return String(decoding: inner, as: UTF8.self) }
    // It was written by the parser's values, so that they can read it.
    return (try? JSONDocument(parsing: Array(storage[range])))?.root.string
  }

  /// The member with this name, which has nothing to be escaped; nil when there is none, or when the value is not an object.
  public subscript(name: String) -> CompactJSON? { members([name])[0] }

  /// As ``subscript(_:)``, for several names at once: the text is walked once.
  public func members(_ names: [String]) -> [CompactJSON?] {
    var found = [CompactJSON?](repeating: nil, count: names.count)
    guard kind == .object else { return found }
    storage.withUnsafeBufferPointer { all in
      // Behind the brace; the text is known to be well-formed, so that every step leads to the next.
      var position = range.lowerBound + 1
      while all[position] != UInt8(ascii: "}") {
        let nameEnd = JSONCompactor.endOfValue(all, at: position)
        let valueEnd = JSONCompactor.endOfValue(all, at: nameEnd + 1)
        let written = UnsafeBufferPointer(rebasing: all[position + 1..<nameEnd - 1])
        for (index, name) in names.enumerated()
        where written.count == name.utf8.count && written.elementsEqual(name.utf8) {
          found[index] = CompactJSON(storage, nameEnd + 1..<valueEnd)
        }
        position = all[valueEnd] == UInt8(ascii: ",") ? valueEnd + 1 : valueEnd
      }
    }
    return found
  }
}
