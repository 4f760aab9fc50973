internal import CZlib
import EventLoop

/// zlib's state for one loop. Its hundreds of KiB are made at the first compressed message and used again for every one
/// that follows; a message is compressed or inflated in one go, so no two of them meet here.
///
/// Not thread-safe: belongs to its loop.
final class Gzip {
  /// zlib keeps a pointer to its stream, which therefore must not move.
  private let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let deflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var canInflate = false
  private var canDeflate = false
  private var inflated = Scratch()
  private var plain = Scratch()

  /// The largest window, and gzip's header and checksum (zlib.h, `inflateInit2`).
  private static let gzipWindow: Int32 = 15 + 16
  /// Most of what gzip saves for the least of its time.
  private static let level: Int32 = 2
  private static let memoryLevel: Int32 = 8

  init() {
    inflater.initialize(to: z_stream())
    deflater.initialize(to: z_stream())
  }

  deinit {
    if canInflate { inflateEnd(inflater) }
    if canDeflate { deflateEnd(deflater) }
    inflater.deallocate()
    deflater.deallocate()
  }

  /// The loop's own.
  static func of(_ loop: EventLoop) -> Gzip {
    if let gzip = loop.attachment as? Gzip { return gzip }
    let gzip = Gzip()
    loop.attachment = gzip
    return gzip
  }

  // MARK: Reading

  /// Inflates a message: one gzip member or several (RFC 1952 §2.2), to the last byte.
  ///
  /// Inflates `limit` bytes and one at most, whatever the input claims.
  /// - Returns: valid until the next call.
  /// - Throws: RESOURCE_EXHAUSTED above the limit, INTERNAL for anything that is not gzip.
  func inflate(_ input: UnsafeRawBufferPointer, limit: Int) throws(RPCError) -> UnsafeRawBufferPointer {
    try prepareInflater()
    inflated.begin(min(input.count * 4, limit) + 1)
    // Safe: zlib does not write to what it reads.
    inflater.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    inflater.pointee.avail_in = UInt32(input.count)
    var count = 0
    while true {
      inflater.pointee.next_out = inflated.memory + count
      inflater.pointee.avail_out = UInt32(inflated.capacity - count)
      let result = CZlib.inflate(inflater, Z_NO_FLUSH)
      count = inflated.capacity - Int(inflater.pointee.avail_out)
      guard count <= limit else { throw Self.tooLarge(limit) }
      switch result {
      case Z_STREAM_END:
        if inflater.pointee.avail_in == 0 {
          return UnsafeRawBufferPointer(start: inflated.memory, count: count)
        }
        inflateReset(inflater)
      case Z_OK, Z_BUF_ERROR:
        if inflater.pointee.avail_out == 0 {
          inflated.grow(keeping: count, to: min(inflated.capacity * 2, limit + 1))
        } else {
          throw RPCError(
            .internalError, "a compressed message of \(input.count) bytes ends in the middle of its gzip data")
        }
      case Z_MEM_ERROR:
        throw Self.outOfMemory
      default:
        throw RPCError(.internalError, "a compressed message of \(input.count) bytes is not gzip")
      }
    }
  }

  private func prepareInflater() throws(RPCError) {
    if canInflate {
      inflateReset(inflater)
      return
    }
    guard inflateInit2_(inflater, Self.gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Self.outOfMemory
    }
    canInflate = true
  }

  // MARK: Writing

  /// Memory for a message of that size, to be filled and then compressed. Valid until the next call.
  func plainMessage(count: Int) -> UnsafeMutableRawPointer {
    plain.begin(max(count, 1))
    return UnsafeMutableRawPointer(plain.memory)
  }

  /// Compresses `count` bytes of `plainMessage`.
  /// - Parameter target: room for `count` bytes.
  /// - Returns: how many bytes were written; nil when they would not be fewer than `count`.
  func deflatePlainMessage(count: Int, to target: UnsafeMutableRawPointer) -> Int? {
    guard count > 1, prepareDeflater() else { return nil }
    deflater.pointee.next_in = plain.memory
    deflater.pointee.avail_in = UInt32(count)
    deflater.pointee.next_out = target.assumingMemoryBound(to: UInt8.self)
    deflater.pointee.avail_out = UInt32(count - 1)
    guard CZlib.deflate(deflater, Z_FINISH) == Z_STREAM_END else { return nil }
    return count - 1 - Int(deflater.pointee.avail_out)
  }

  /// Without memory for it a message goes out as it is.
  private func prepareDeflater() -> Bool {
    if canDeflate { return deflateReset(deflater) == Z_OK }
    canDeflate =
      deflateInit2_(
        deflater, Self.level, Z_DEFLATED, Self.gzipWindow, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    return canDeflate
  }

  /// Bytes of memory that wait for the next message to inflate.
  var inflatedCapacity: Int { inflated.capacity }

  /// Lets go of the memory of large messages.
  func trim() {
    inflated.trim()
    plain.trim()
  }

  private static func tooLarge(_ limit: Int) -> RPCError {
    RPCError(
      .resourceExhausted,
      "a compressed message inflates to more than \(limit) bytes, the most accepted: send it in parts")
  }

  private static var outOfMemory: RPCError {
    RPCError(.resourceExhausted, "no memory to inflate a compressed message: try again later")
  }
}

/// Memory that is used again and again.
private struct Scratch: ~Copyable {
  private(set) var memory = UnsafeMutablePointer<UInt8>.allocate(capacity: Scratch.kept)
  private(set) var capacity = Scratch.kept

  /// Bytes that stay for the next message.
  private static let kept = 64 << 10

  deinit { memory.deallocate() }

  /// Room for at least so many bytes; what was there may be gone.
  mutating func begin(_ count: Int) {
    if count > capacity { grow(keeping: 0, to: count) } else if count <= Scratch.kept { trim() }
  }

  mutating func grow(keeping used: Int, to count: Int) {
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
    larger.update(from: memory, count: used)
    memory.deallocate()
    memory = larger
    capacity = count
  }

  mutating func trim() {
    guard capacity > Scratch.kept else { return }
    memory.deallocate()
    memory = .allocate(capacity: Scratch.kept)
    capacity = Scratch.kept
  }
}
