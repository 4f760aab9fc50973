import Glibc

/// Where frames are gathered for one write: memory of the loop, for the length of one flush.
struct Output: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  @inline(__always) var room: Int { memory.count - count }
  @inline(__always) var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  @inline(__always) mutating func append(_ source: UnsafeRawBufferPointer) {
    guard let base = source.baseAddress else { return }
    precondition(source.count <= room)
    memcpy(memory.baseAddress.unsafelyUnwrapped + count, base, source.count)
    count += source.count
  }

  @inline(__always) mutating func appendFrameHeader(length: Int, type: UInt8, flags: UInt8, streamID: Int32) {
    precondition(FrameHeader.byteCount <= room)
    let start = (memory.baseAddress.unsafelyUnwrapped + count).assumingMemoryBound(to: UInt8.self)
    FrameHeader.write(length: length, type: type, flags: flags, streamID: streamID, to: start)
    count += FrameHeader.byteCount
  }

  @inline(__always) mutating func removeAll() { count = 0 }
}
