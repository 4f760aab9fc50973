internal import CMessages

extension Message {
  /// Decodes protobuf's binary form.
  ///
  /// - Throws: `MessageError` when the bytes are malformed, hold text that is not UTF-8 or has a NUL in it, are nested
  ///   deeper than 100 levels, or hold more than 500 000 fields.
  public init(serialized bytes: UnsafeRawBufferPointer) throws(MessageError) {
    let data = bytes.assumingMemoryBound(to: UInt8.self)
    let descriptor = Self.descriptor.pointer
    // An empty buffer has no address, but protobuf-c and the validator want one.
    guard let start = data.baseAddress, !data.isEmpty else {
      self.init()
      return
    }
    var violation = cm_violation()
    let status = cm_validate(descriptor, start, data.count, &violation)
    guard status == CM_VALID else { throw MessageError(status, violation) }
    let arena = MessageArena.acquire()
    defer { arena.release() }
    guard let unpacked = protobuf_c_message_unpack(descriptor, arena.allocator, data.count, start) else {
      throw .malformed(field: "", reason: "the bytes are not a \(Self.fullName)")
    }
    self.init(unpacked: unpacked)
  }

  /// The same from an array.
  public init(serialized bytes: [UInt8]) throws(MessageError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(MessageError) in
      try Self(serialized: UnsafeRawBufferPointer(buffer))
    }
  }

  /// Protobuf's binary form. Equal messages give equal bytes. A NUL character in a text becomes U+FFFD, since
  /// protobuf-c cannot carry it.
  public func serialized() -> [UInt8] {
    withPacked { packed in
      [UInt8](unsafeUninitializedCapacity: packed.count) { buffer, initialized in
        if let start = buffer.baseAddress { packed.write(to: start) }
        initialized = packed.count
      }
    }
  }

  /// Encodes straight into memory of the caller's choice: `body` learns the size and writes where it wants.
  public func withPacked<R>(_ body: (borrowing PackedMessage) throws -> R) rethrows -> R {
    let arena = MessageArena.acquire()
    defer { arena.release() }
    let memory = arena.allocate(Self.descriptor.structSize)
    fill(memory, in: arena)
    return try body(PackedMessage(memory.assumingMemoryBound(to: ProtobufCMessage.self)))
  }
}

/// A message that is ready to be written. Valid only inside `withPacked`.
public struct PackedMessage: ~Copyable {
  private let message: UnsafeMutableRawPointer

  /// Bytes that `write` writes.
  public let count: Int

  init(_ message: UnsafeMutablePointer<ProtobufCMessage>) {
    self.message = UnsafeMutableRawPointer(message)
    count = protobuf_c_message_get_packed_size(message)
  }

  /// Writes `count` bytes.
  public func write(to target: UnsafeMutableRawPointer) {
    let written = protobuf_c_message_pack(
      message.assumingMemoryBound(to: ProtobufCMessage.self), target.assumingMemoryBound(to: UInt8.self))
    assert(written == count)
  }
}

extension MessageError {
  /// What the validator found, with the field's full name.
  init(_ status: cm_status, _ violation: cm_violation) {
    var field = violation.message.map { String(cString: $0.pointee.name) } ?? ""
    if let name = violation.field?.pointee.name { field += "." + String(cString: name) }
    switch status {
    case CM_INVALID_UTF8: self = .invalidUTF8(field: field)
    case CM_EMBEDDED_NUL: self = .embeddedNUL(field: field)
    case CM_TOO_DEEP: self = .tooDeep(field: field)
    case CM_TOO_MANY_FIELDS: self = .tooManyFields(field: field)
    case CM_TRUNCATED: self = .malformed(field: field, reason: "the bytes end in the middle of the field")
    case CM_MESSAGE_TWICE: self = .malformed(field: field, reason: "the message comes twice; send it once")
    case CM_BAD_VARINT: self = .malformed(field: field, reason: "a number has too many bytes")
    case CM_BAD_TAG: self = .malformed(field: field, reason: "a tag with number 0 or an unknown wire type")
    default: self = .malformed(field: field, reason: "the wire type is not the field's")
    }
  }
}
