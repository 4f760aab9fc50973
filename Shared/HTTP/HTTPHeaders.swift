/// HTTP header fields in the order in which they were received or added. Names compare without regard to case
/// (RFC 9110 §5.1).
public struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var fields: [(name: String, value: String)] = []

  public init() {}

  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { (name: $0.0, value: $0.1) }
  }

  /// Adds a field and keeps those of the same name.
  public mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

  /// The first value of `name`; nil when there is none. Setting replaces all of that name.
  public subscript(name: String) -> String? {
    get { fields.first { Self.sameName($0.name, name) }?.value }
    set {
      fields.removeAll { Self.sameName($0.name, name) }
      if let newValue { fields.append((name, newValue)) }
    }
  }

  /// Every value of `name`.
  public func all(_ name: String) -> [String] {
    fields.filter { Self.sameName($0.name, name) }.map(\.value)
  }

  /// The first field that can't go on the wire: an empty name, one that is no token (RFC 9110 §5.6.2), or a value with
  /// a line break or NUL, which would let the value smuggle in other fields.
  var firstUnsendable: String? {
    fields.first { name, value in
      name.isEmpty || !name.utf8.allSatisfy(Self.isTokenByte) || value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }
    }?.name
  }

  static func sameName(_ a: String, _ b: String) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    // Not zip(), which is not inlined: every request has each of its names compared a few times.
    var others = b.utf8.makeIterator()
    for byte in a.utf8 {
      guard let other = others.next(), byte == other || lowercased(byte) == lowercased(other) else { return false }
    }
    return true
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
