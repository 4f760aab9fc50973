import CNghttp2

/// nghttp2's HPACK as it is, to compare with.
final class PlainInflater {
  private var inflater: OpaquePointer?

  init() { require(nghttp2_hd_inflate_new(&inflater) == 0, "out of memory") }
  deinit { nghttp2_hd_inflate_del(inflater) }

  /// What the dynamic table looks like from outside.
  var table: [Int] {
    [
      nghttp2_hd_inflate_get_num_table_entries(inflater), nghttp2_hd_inflate_get_dynamic_table_size(inflater),
      nghttp2_hd_inflate_get_max_dynamic_table_size(inflater),
    ]
  }

  func setTableSize(_ size: Int) {
    require(nghttp2_hd_inflate_change_table_size(inflater, size) == 0, "out of memory")
  }

  /// Nil when it is not a whole header block.
  func decode(_ block: [UInt8]) -> [Field]? {
    var fields: [Field] = []
    var offset = 0
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let count = block.withUnsafeBufferPointer { bytes in
        nghttp2_hd_inflate_hd2(inflater, &field, &flags, bytes.baseAddress.map { $0 + offset }, block.count - offset, 1)
      }
      guard count >= 0 else { return nil }
      offset += count
      let hasField = flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0
      if hasField {
        fields.append(
          Field(
            name: Array(UnsafeBufferPointer(start: field.name, count: field.namelen)),
            value: Array(UnsafeBufferPointer(start: field.value, count: field.valuelen))))
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
      }
      guard hasField || offset < block.count else { return nil }
    }
  }
}
