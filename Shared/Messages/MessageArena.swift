package import CMessages
internal import Glibc

/// Memory for the C structs of one message; see `arena.h`. Not to be kept beyond the function that acquired it.
public struct MessageArena {
  package let pointer: UnsafeMutablePointer<cm_arena>

  /// This thread's arena. Each `acquire` needs its `release` on the same thread, without a suspension in between.
  package static func acquire() -> MessageArena {
    guard let pointer = cm_arena_acquire() else { outOfMemory() }
    return MessageArena(pointer: pointer)
  }

  package func release() { cm_arena_release(pointer) }

  package var allocator: UnsafeMutablePointer<ProtobufCAllocator> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: ProtobufCAllocator.self)
  }

  /// Uninitialised memory, aligned to 8 bytes.
  @inline(__always)
  package func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard let memory = cm_arena_allocate(pointer, byteCount) else { Self.outOfMemory() }
    return memory
  }

  /// The same, typed.
  @inline(__always)
  package func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    allocate(count * MemoryLayout<T>.stride).bindMemory(to: T.self, capacity: count)
  }

  private static func outOfMemory() -> Never { fatalError("out of memory for a message") }
}
