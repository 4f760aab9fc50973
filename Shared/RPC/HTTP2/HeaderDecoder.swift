import CNghttp2
import Glibc

/// What a header block says, as one of the two sides needs it. Immutable once its block has been read, so that calls whose
/// blocks are the same share it.
protocol HeaderList: AnyObject {
  /// One field in the order of the wire. The bytes are valid during the call only.
  func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
}

/// Decodes header blocks with nghttp2's HPACK (RFC 7541).
///
/// Peers send the same headers again and again, and once HPACK's dynamic table knows them, the blocks are the same bytes.
/// A block that changes nothing in the table means the same until another one does: the lists of the last few are kept
/// and handed out again, which costs a comparison in place of some thousand instructions.
struct HeaderDecoder<List: HeaderList>: ~Copyable {
  private let inflater: OpaquePointer
  private var kept: [Kept] = []
  private var nextKept = 0

  private struct Kept {
    let block: [UInt8]
    let list: List
  }

  /// Clients take turns with few methods; each comparison that fails costs little.
  private static var keptLimit: Int { 4 }
  /// Longer blocks are rare, and memory of an idle connection.
  private static var keptBlockLimit: Int { 512 }

  init() {
    var inflater: OpaquePointer?
    // Fails only without memory.
    guard nghttp2_hd_inflate_new(&inflater) == 0, let inflater else { fatalError("out of memory") }
    self.inflater = inflater
  }

  deinit { nghttp2_hd_inflate_del(inflater) }

  /// - Parameters:
  ///   - limit: bytes of names and values, each field counted with 32 more (RFC 9113 §6.5.2), beyond which the
  ///     connection ends: a small block may refer to a large entry any number of times.
  ///   - make: an empty list for a block that is not known.
  /// - Throws: COMPRESSION_ERROR, or ENHANCE_YOUR_CALM above the limit.
  mutating func decode(
    _ block: UnsafeBufferPointer<UInt8>, limit: Int, _ make: () -> List
  ) throws(HTTP2ConnectionError) -> List {
    for entry in kept where entry.block.count == block.count {
      let isSame = entry.block.withUnsafeBufferPointer {
        guard let ours = $0.baseAddress, let theirs = block.baseAddress else { return block.isEmpty }
        return memcmp(ours, theirs, block.count) == 0
      }
      if isSame { return entry.list }
    }
    let list = make()
    let leavesTable = HeaderBlock.leavesTableAlone(block)
    if !leavesTable {
      kept.removeAll(keepingCapacity: true)
      nextKept = 0
    }
    try inflate(block, limit: limit) { list.receive(name: $0, value: $1) }
    if leavesTable && block.count <= HeaderDecoder.keptBlockLimit { keep(Kept(block: Array(block), list: list)) }
    return list
  }

  /// Reads a block that nobody needs, because later ones build on it.
  /// - Returns: whether HTTP/2 allows it as a trailer section, which has no pseudo-header fields (RFC 9113 §8.1).
  mutating func checkTrailers(
    _ block: UnsafeBufferPointer<UInt8>, limit: Int
  ) throws(HTTP2ConnectionError) -> Bool {
    kept.removeAll(keepingCapacity: true)
    nextKept = 0
    var isAllowed = true
    try inflate(block, limit: limit) { name, value in
      guard HeaderRules.isName(name), HeaderRules.isValue(value), !HeaderRules.isConnectionSpecific(name, value) else {
        return isAllowed = false
      }
    }
    return isAllowed
  }

  private mutating func keep(_ entry: Kept) {
    if kept.count < HeaderDecoder.keptLimit {
      kept.append(entry)
    } else {
      kept[nextKept] = entry
      nextKept = (nextKept + 1) % HeaderDecoder.keptLimit
    }
  }

  private func inflate(
    _ block: UnsafeBufferPointer<UInt8>, limit: Int,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(HTTP2ConnectionError) {
    var rest = block
    var total = 0
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let taken = nghttp2_hd_inflate_hd2(inflater, &field, &flags, rest.baseAddress, rest.count, 1)
      guard taken >= 0 else {
        throw HTTP2ConnectionError(
          .compressionError, "the header block can't be decoded: \(String(cString: nghttp2_strerror(Int32(taken))))")
      }
      rest = UnsafeBufferPointer(rebasing: rest[taken...])
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        total += field.namelen + field.valuelen + 32
        guard total <= limit else {
          throw HTTP2ConnectionError(.enhanceYourCalm, "a header list of more than \(limit) bytes")
        }
        body(
          UnsafeBufferPointer(start: field.name, count: field.namelen),
          UnsafeBufferPointer(start: field.value, count: field.valuelen))
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return
      }
      guard flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 || !rest.isEmpty else {
        throw HTTP2ConnectionError(.compressionError, "the header block ends inside a field")
      }
    }
  }
}

/// HPACK's representations, as far as one has to know them without decoding.
enum HeaderBlock {
  /// Whether the block has neither a literal that is added to the dynamic table nor a change of the table's size
  /// (RFC 7541 §6). False for what is malformed.
  static func leavesTableAlone(_ block: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = 0
    while index < block.count {
      let byte = block[index]
      if byte & 0x80 != 0 {
        guard integer(block, &index, prefix: 7) != nil else { return false }
      } else if byte & 0xe0 == 0 {
        guard let name = integer(block, &index, prefix: 4) else { return false }
        if name == 0 { guard skipString(block, &index) else { return false } }
        guard skipString(block, &index) else { return false }
      } else {
        return false
      }
    }
    return true
  }

  /// RFC 7541 §5.1. Nil when it does not end, or is larger than any block.
  private static func integer(_ block: UnsafeBufferPointer<UInt8>, _ index: inout Int, prefix: Int) -> Int? {
    guard index < block.count else { return nil }
    let mask = 1 << prefix - 1
    var value = Int(block[index]) & mask
    index += 1
    guard value == mask else { return value }
    for shift in stride(from: 0, through: 21, by: 7) {
      guard index < block.count else { return nil }
      let byte = Int(block[index])
      index += 1
      value += (byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  /// RFC 7541 §5.2.
  private static func skipString(_ block: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Bool {
    guard let count = integer(block, &index, prefix: 7), count <= block.count - index else { return false }
    index += count
    return true
  }
}
