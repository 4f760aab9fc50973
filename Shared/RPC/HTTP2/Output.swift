import Glibc

/// What one flush sends: frames gathered in memory of the loop and, between them, pieces of large messages where they lie, so
/// that those need not be copied. For the length of one flush.
///
/// Who appends a piece keeps its memory as it is until the output has been written or emptied.
struct Output: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private let pieces: UnsafeMutableBufferPointer<iovec>
  private(set) var count = 0
  private var pieceCount = 0
  /// Where the gathered bytes begin that no piece covers yet.
  private var openStart = 0
  private var referencedCount = 0

  /// What is worth a piece of its own: below, copying costs less.
  static let smallestReference = 4 << 10
  /// Bytes of pieces that one write takes on: what the socket does not take has to be copied after all.
  private static let referenceLimit = 256 << 10

  /// - Parameters:
  ///   - memory: where frames are gathered.
  ///   - pieces: room for at least a few dozen.
  init(_ memory: UnsafeMutableRawBufferPointer, pieces: UnsafeMutableBufferPointer<iovec>) {
    self.memory = memory
    self.pieces = pieces
  }

  @inline(__always) var room: Int { memory.count - count }
  @inline(__always) var hasReferences: Bool { pieceCount > 0 }
  /// No further piece should be added before this has been written.
  var isFull: Bool { referencedCount >= Output.referenceLimit || pieceCount + 3 > pieces.count }

  /// The gathered bytes, which are all unless there are references.
  @inline(__always) var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// All of it in order; valid until the next change.
  mutating func vectors() -> UnsafeMutableBufferPointer<iovec> {
    closeGathered()
    return UnsafeMutableBufferPointer(rebasing: pieces[..<pieceCount])
  }

  @inline(__always) mutating func append(_ source: UnsafeRawBufferPointer) {
    guard let base = source.baseAddress else { return }
    precondition(source.count <= room)
    memcpy(memory.baseAddress.unsafelyUnwrapped + count, base, source.count)
    count += source.count
  }

  /// Memory that is sent from where it is.
  mutating func append(reference: UnsafeRawBufferPointer) {
    closeGathered()
    append(piece: reference)
    referencedCount += reference.count
  }

  private mutating func closeGathered() {
    guard openStart < count else { return }
    append(piece: UnsafeRawBufferPointer(rebasing: memory[openStart..<count]))
    openStart = count
  }

  private mutating func append(piece: UnsafeRawBufferPointer) {
    pieces[pieceCount] = iovec(iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count)
    pieceCount += 1
  }

  @inline(__always) mutating func appendFrameHeader(length: Int, type: UInt8, flags: UInt8, streamID: Int32) {
    precondition(FrameHeader.byteCount <= room)
    let start = (memory.baseAddress.unsafelyUnwrapped + count).assumingMemoryBound(to: UInt8.self)
    FrameHeader.write(length: length, type: type, flags: flags, streamID: streamID, to: start)
    count += FrameHeader.byteCount
  }

  @inline(__always) mutating func removeAll() {
    count = 0
    pieceCount = 0
    openStart = 0
    referencedCount = 0
  }
}
