/// Names and values that travel with a call beside its messages, in the order in which they were added. A name may
/// occur more than once. Names are lower-case ASCII; names that start with `grpc-` or `:` are the protocol's own.
///
/// Values are printable ASCII. Those of names that end in `-bin` are bytes instead, which go over the wire as base64:
/// see `append(_:bytes:)` and `subscript(binary:)`.
///
/// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Custom-Metadata".
public struct Metadata: Sendable, Hashable, ExpressibleByDictionaryLiteral, Sequence {
  /// All of it, in order.
  public private(set) var entries: [Entry] = []

  /// A name that ends in `-bin` and came with a value that is not base64. gRPC's text leaves open what to do then; such a call
  /// ends with INTERNAL, as losing a part of what the peer said, without a word, could be worse.
  private(set) var malformedName: String?

  /// One name with one of its values.
  public struct Entry: Sendable, Hashable {
    /// Lower-case.
    public var name: String
    /// As it is on the wire: of a name that ends in `-bin`, base64.
    public var value: String

    init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Empty.
  public init() {}

  /// As `append(_:_:)` takes them, in the literal's order.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }

  /// Whether there is no entry.
  public var isEmpty: Bool { entries.isEmpty }

  /// Entries, not names.
  public var count: Int { entries.count }

  /// - Parameters:
  ///   - name: lower-cased here, as HTTP/2 has no other (RFC 9113 §8.2).
  ///   - value: printable ASCII; what is not is dropped with the field when it is sent. Blanks at its ends are cut off, as
  ///     HTTP/2 allows none there (RFC 9113 §8.2.1). For a name that ends in `-bin`: base64.
  public mutating func append(_ name: String, _ value: String) {
    entries.append(Entry(name: name.lowercased(), value: Metadata.trimmed(value)))
  }

  /// A field from the wire, where names are lower-case already. One that is not well-formed is left out, and its name
  /// noted in `malformedName`.
  mutating func append(received name: String, _ value: String) {
    let entry = Entry(name: name, value: Metadata.trimmed(value))
    if entry.isBinary && !BinaryValue.isValid(entry.value) {
      // Details are an addition to a status, which counts without them, too.
      if name != StatusDetails.name { malformedName = name }
    } else {
      entries.append(entry)
    }
  }

  /// Appends all of `other` behind what is there.
  public mutating func append(contentsOf other: Metadata) { entries += other.entries }

  /// Removes all values of that name.
  mutating func removeAll(named name: String) {
    // Nearly always there is none: the entries stay shared with whoever else has them.
    guard entries.contains(where: { $0.name == name }) else { return }
    entries.removeAll { $0.name == name }
  }

  /// The first value of that name.
  public subscript(name: String) -> String? { entries.first { $0.name == name }?.value }

  /// All values of that name.
  public func values(of name: String) -> [String] { entries.filter { $0.name == name }.map(\.value) }

  /// Over the entries, in order.
  public func makeIterator() -> IndexingIterator<[Entry]> { entries.makeIterator() }

  private static func trimmed(_ value: String) -> String {
    func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
    let bytes = value.utf8
    guard isBlank(bytes.first) || isBlank(bytes.last) else { return value }
    guard let start = bytes.firstIndex(where: { !isBlank($0) }), let end = bytes.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(value[start...end])
  }
}
