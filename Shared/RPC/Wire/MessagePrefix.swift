/// The five bytes before every message: a compression flag and the length, big-endian.
/// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Length-Prefixed-Message".
struct MessagePrefix {
  static let byteCount = 5

  let isCompressed: Bool
  let messageCount: Int

  /// Nil while fewer than five bytes are there.
  @inline(__always) init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= MessagePrefix.byteCount else { return nil }
    isCompressed = bytes[0] != 0
    messageCount = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
  }

  @inline(__always) static func write(
    messageCount: Int, isCompressed: Bool = false, to pointer: UnsafeMutableRawPointer
  ) {
    pointer.storeBytes(of: isCompressed ? 1 : 0, as: UInt8.self)
    pointer.storeBytes(of: UInt32(truncatingIfNeeded: messageCount).bigEndian, toByteOffset: 1, as: UInt32.self)
  }
}
