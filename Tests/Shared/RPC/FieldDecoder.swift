import CNghttp2

/// HPACK of one connection, for tests that want to see exact fields. Not for several threads at once.
final class FieldDecoder: @unchecked Sendable {
  private var inflater: OpaquePointer?

  init() { nghttp2_hd_inflate_new(&inflater) }
  deinit { nghttp2_hd_inflate_del(inflater) }

  /// The fields of a whole header block in their order; nil when it is not HPACK.
  func decode(_ block: [UInt8]) -> [(name: String, value: String)]? {
    var fields: [(name: String, value: String)] = []
    var offset = 0
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let count = block.withUnsafeBufferPointer { bytes in
        nghttp2_hd_inflate_hd2(
          inflater, &field, &flags, bytes.baseAddress.map { $0 + offset }, block.count - offset, 1)
      }
      guard count >= 0 else { return nil }
      offset += count
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        fields.append((name: Self.text(field.name, field.namelen), value: Self.text(field.value, field.valuelen)))
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
      }
      guard count > 0 || flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 else { return fields }
    }
  }

  private static func text(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
    String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}

extension RawPeer {
  /// The next HEADERS frame's fields by their names, the last of each name; nil when the other side has closed.
  func receiveFields(_ decoder: FieldDecoder) -> [String: String]? {
    guard let frame = receive(.headers), let fields = decoder.decode(frame.payload) else { return nil }
    return Dictionary(fields.map { ($0.name, $0.value) }) { $1 }
  }
}
