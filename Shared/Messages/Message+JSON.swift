internal import CMessages

extension Message {
  /// Decodes JSON with the field names of the .proto file (snake_case).
  ///
  /// Unknown members are ignored and `null` is as good as absent; in a list it stands for the default, so that what
  /// follows keeps its index. Numbers may be written as texts and texts as numbers. Whole numbers are exact and never
  /// rounded. Decimals keep their text. Timestamps are read as by `Timestamp(parsing:)`. Enums are names, with or
  /// without the enum's prefix, or numbers. An empty array is good for an object without members, since PHP writes it
  /// so.
  ///
  /// - Throws: `MessageError` with the field's path, e.g. `snapshot.stock[3].quantity: "abc" is not a whole number`.
  public init(json text: [UInt8]) throws(MessageError) {
    try self.init(json: JSONDocument(parsing: text).root)
  }

  /// The same for a part of a document.
  public init(json value: JSONValue) throws(MessageError) {
    let arena = MessageArena.acquire()
    defer { arena.release() }
    self.init(unpacked: try JSONMessageDecoder(arena: arena).message(value.object, Self.descriptor.pointer))
  }

  /// The message as JSON without blanks: field names as in the .proto file, fields at their default left out, 64-bit
  /// integers as numbers, bytes as base64, enums as names, timestamps as RFC 3339, decimals as numbers with their text.
  ///
  /// - Parameter writesDefaults: whether zeros, empty texts and empty lists are written too, as readers want that are no
  ///   protobuf clients and take what is left out for unknown.
  public func json(writesDefaults: Bool = false) -> String {
    let arena = MessageArena.acquire()
    defer { arena.release() }
    let memory = arena.allocate(Self.descriptor.structSize)
    fill(memory, in: arena)
    var encoder = JSONMessageEncoder(writesDefaults: writesDefaults)
    encoder.append(memory, Self.descriptor.pointer)
    return String(decoding: encoder.output, as: UTF8.self)
  }
}
