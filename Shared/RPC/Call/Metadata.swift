/// Names and values that travel with a call beside its messages, in the order in which they were added. A name may
/// occur more than once. Names are lower-case ASCII; names that start with `grpc-` or `:` are the protocol's own.
public struct Metadata: Sendable, Hashable, ExpressibleByDictionaryLiteral, Sequence {
  public private(set) var entries: [Entry] = []

  /// One name with one of its values.
  public struct Entry: Sendable, Hashable {
    public var name: String
    public var value: String
  }

  public init() {}

  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }

  public var isEmpty: Bool { entries.isEmpty }
  public var count: Int { entries.count }

  /// - Parameters:
  ///   - name: lower-cased here, as HTTP/2 has no other (RFC 9113 §8.2).
  ///   - value: printable ASCII; what is not is dropped with the field when it is sent.
  public mutating func append(_ name: String, _ value: String) {
    entries.append(Entry(name: name.lowercased(), value: value))
  }

  /// A field from the wire, where names are lower-case already.
  mutating func append(received name: String, _ value: String) {
    entries.append(Entry(name: name, value: value))
  }

  /// Appends all of `other` behind what is there.
  public mutating func append(contentsOf other: Metadata) { entries += other.entries }

  /// The first value of that name.
  public subscript(name: String) -> String? { entries.first { $0.name == name }?.value }

  /// All values of that name.
  public func values(of name: String) -> [String] { entries.filter { $0.name == name }.map(\.value) }

  public func makeIterator() -> IndexingIterator<[Entry]> { entries.makeIterator() }
}

extension Metadata.Entry {
  /// Whether it may go on the wire as it is: RFC 9113 §8.2.1 and gRPC's reserved names.
  var isSendable: Bool {
    !name.isEmpty && (!name.hasPrefix("grpc-") || name == "grpc-status-details-bin") && !name.hasPrefix(":")
      && !Metadata.reserved.contains(name)
      && name.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e
      }
      && value.utf8.allSatisfy { (0x20...0x7e).contains($0) }
  }
}

extension Metadata {
  /// What goes on the wire.
  var sendable: [(name: String, value: [UInt8])] {
    entries.lazy.filter(\.isSendable).map { (name: $0.name, value: Array($0.value.utf8)) }
  }

  /// Fields of HTTP/2 and of gRPC that a caller can't set.
  fileprivate static let reserved: Set<String> = [
    "content-type", "te", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host",
    "content-length", "user-agent",
  ]
}
