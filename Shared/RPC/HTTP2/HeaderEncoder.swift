/// Encodes header blocks (RFC 7541), as simply as a sender may: what every call repeats goes into the dynamic table, as
/// long as there is room, and is a byte or two from then on; everything else goes as it is. Nothing is ever evicted, and
/// nothing is Huffman-coded: bytes are cheaper than instructions on the way between services.
struct HeaderEncoder: ~Copyable {
  /// In the order in which they were added; the last one has index 62.
  private var entries: [Entry] = []
  private var size = 0
  private var limit = HeaderEncoder.tableSize
  private var announces = false

  private struct Entry {
    let name: [UInt8]
    let value: [UInt8]
  }

  /// What a peer that has said nothing else provides (RFC 9113 §6.5.2); we use no more.
  private static let tableSize = 4096
  /// Entries of the static table (RFC 7541 Appendix A).
  private static let staticCount = 61

  /// What was encoded as an index stays right until this changes.
  private(set) var generation = 0

  /// The peer's SETTINGS_HEADER_TABLE_SIZE. A smaller one than ours has to be followed, and announced in the next block
  /// (RFC 9113 §4.3.1); the table starts again empty then.
  mutating func setTableSize(_ size: Int) {
    let wanted = min(size, HeaderEncoder.tableSize)
    guard wanted < limit else { return }
    limit = wanted
    entries = []
    self.size = 0
    announces = true
    generation += 1
  }

  /// The table as it is, to return to when a block is not sent after all: the peer would not know of its entries.
  var mark: Mark { Mark(count: entries.count, size: size, announces: announces) }

  struct Mark {
    fileprivate let count: Int
    fileprivate let size: Int
    fileprivate let announces: Bool
  }

  mutating func restore(_ mark: Mark) {
    entries.removeLast(entries.count - mark.count)
    size = mark.size
    announces = mark.announces
    generation += 1
  }

  /// To be called before the fields of every block.
  mutating func beginBlock(_ block: inout ByteQueue) {
    guard announces else { return }
    announces = false
    generation += 1
    HeaderEncoder.append(integer: 0, prefix: 5, pattern: 0x20, &block)
    HeaderEncoder.append(integer: limit, prefix: 5, pattern: 0x20, &block)
  }

  /// A field of the static table, by its index.
  mutating func append(static index: Int, _ block: inout ByteQueue) {
    HeaderEncoder.append(integer: index, prefix: 7, pattern: 0x80, &block)
  }

  /// A field that will come again and again.
  /// - Parameter nameIndex: of the name in the static table; 0 when it is not there.
  mutating func append(repeated name: [UInt8], nameIndex: Int = 0, _ value: [UInt8], _ block: inout ByteQueue) {
    if let position = entries.lastIndex(where: { $0.value == value && $0.name == name }) {
      return HeaderEncoder.append(
        integer: HeaderEncoder.staticCount + entries.count - position, prefix: 7, pattern: 0x80, &block)
    }
    let cost = name.count + value.count + 32
    guard size + cost <= limit else { return append(name, nameIndex: nameIndex, value, &block) }
    HeaderEncoder.append(integer: nameIndex, prefix: 6, pattern: 0x40, &block)
    if nameIndex == 0 { HeaderEncoder.append(string: name, &block) }
    HeaderEncoder.append(string: value, &block)
    entries.append(Entry(name: name, value: value))
    size += cost
    generation += 1
  }

  /// A field of this call alone.
  /// - Parameter isSecret: no proxy on the way may put it into a table either (RFC 7541 §7.1.3).
  mutating func append(
    _ name: some Collection<UInt8>, nameIndex: Int = 0, _ value: some Collection<UInt8>, isSecret: Bool = false,
    _ block: inout ByteQueue
  ) {
    HeaderEncoder.append(integer: nameIndex, prefix: 4, pattern: isSecret ? 0x10 : 0x00, &block)
    if nameIndex == 0 { HeaderEncoder.append(string: name, &block) }
    HeaderEncoder.append(string: value, &block)
  }

  /// RFC 7541 §5.1.
  private static func append(integer: Int, prefix: Int, pattern: UInt8, _ block: inout ByteQueue) {
    let mask = 1 << prefix - 1
    guard integer >= mask else { return block.append(pattern | UInt8(integer)) }
    block.append(pattern | UInt8(mask))
    var rest = integer - mask
    while rest >= 0x80 {
      block.append(UInt8(rest & 0x7f | 0x80))
      rest >>= 7
    }
    block.append(UInt8(rest))
  }

  /// RFC 7541 §5.2, without Huffman.
  private static func append(string: some Collection<UInt8>, _ block: inout ByteQueue) {
    append(integer: string.count, prefix: 7, pattern: 0, &block)
    let done: Void? = string.withContiguousStorageIfAvailable { bytes in
      if let base = bytes.baseAddress { block.append(base, count: bytes.count) }
    }
    if done == nil { for byte in string { block.append(byte) } }
  }
}

extension ByteQueue {
  @inline(__always) mutating func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    advance(1)
  }
}
