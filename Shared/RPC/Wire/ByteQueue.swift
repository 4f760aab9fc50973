import EventLoop
import Glibc

/// A queue of bytes in one piece of memory: appended at the end, taken from the front.
///
/// Owns its memory by being noncopyable. It lives in classes on the hot path, where an `Array` would cost uniqueness
/// and exclusivity checks for every byte range that passes.
struct ByteQueue: ~Copyable {
  private var memory: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  private var start = 0
  private var end = 0
  private var ownsMemory = true

  /// What an empty queue may keep; a larger piece goes back to the system.
  private static let keptCapacity = 16 << 10

  init() {}

  /// Begins with memory that somebody else owns and that outlives the queue.
  init(borrowing memory: UnsafeMutableRawPointer, capacity: Int) {
    self.memory = memory.assumingMemoryBound(to: UInt8.self)
    self.capacity = capacity
    ownsMemory = false
  }

  deinit { if ownsMemory, let memory { ByteQueue.free(memory, capacity) } }

  @inline(__always) var count: Int { end - start }
  @inline(__always) var isEmpty: Bool { end == start }

  /// The bytes in the queue; valid until the next change.
  @inline(__always) var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory.map { UnsafeRawPointer($0 + start) }, count: end - start)
  }

  @inline(__always) mutating func append(_ source: UnsafeRawPointer, count: Int) {
    guard count > 0 else { return }
    memcpy(reserve(count), source, count)
    end += count
  }

  @inline(__always) mutating func append(_ source: UnsafeRawBufferPointer) {
    if let base = source.baseAddress { append(base, count: source.count) }
  }

  /// Room for `count` bytes behind the last one, to be filled and then counted in by `advance`.
  @inline(__always) mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if let memory, end + count <= capacity { return UnsafeMutableRawPointer(memory + end) }
    return grow(count)
  }

  @inline(__always) mutating func advance(_ count: Int) {
    assert(end + count <= capacity)
    end += count
  }

  @inline(never) private mutating func grow(_ count: Int) -> UnsafeMutableRawPointer {
    let used = end - start
    if let memory, start >= used, used + count <= capacity {
      // What was taken from the front leaves enough room.
      memcpy(memory, memory + start, used)
    } else {
      let larger = ByteQueue.allocate(max(512, used + count, min(capacity * 2, capacity + 1 << 20)))
      if let memory {
        memcpy(larger.baseAddress.unsafelyUnwrapped, memory + start, used)
        if ownsMemory { ByteQueue.free(memory, capacity) }
      }
      ownsMemory = true
      memory = larger.baseAddress
      capacity = larger.count
    }
    start = 0
    end = used
    return UnsafeMutableRawPointer(memory.unsafelyUnwrapped + end)
  }

  /// Takes `count` bytes from the front.
  @inline(__always) mutating func removeFirst(_ count: Int) {
    assert(count <= self.count)
    start += count
    if start == end { removeAll() }
  }

  @inline(__always) mutating func removeAll() {
    start = 0
    end = 0
    if capacity > ByteQueue.keptCapacity, ownsMemory, let memory {
      ByteQueue.free(memory, capacity)
      self.memory = nil
      capacity = 0
    }
  }

  /// Large ones come from the loop, where there is one: a queue may end with the last reference to its stream, on any
  /// thread.
  private static func allocate(_ size: Int) -> UnsafeMutableBufferPointer<UInt8> {
    guard size >= LargeBlocks.smallestSize, let loop = EventLoop.current else { return .allocate(capacity: size) }
    return loop.largeBlocks.take(size).bindMemory(to: UInt8.self)
  }

  private static func free(_ memory: UnsafeMutablePointer<UInt8>, _ capacity: Int) {
    guard capacity >= LargeBlocks.smallestSize, let loop = EventLoop.current else { return memory.deallocate() }
    loop.largeBlocks.put(UnsafeMutableRawBufferPointer(start: memory, count: capacity))
  }
}
