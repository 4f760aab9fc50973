import CNghttp2
import Glibc

/// Header fields in nghttp2's shape.
enum HeaderField {
  /// A field whose bytes live as long as the process: nghttp2 need not copy them.
  static func constant(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
    nghttp2_nv(
      name: UnsafeMutablePointer(mutating: name.utf8Start), value: UnsafeMutablePointer(mutating: value.utf8Start),
      namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount,
      flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue))
  }

  /// Calls `body` with the constants and then the others, whose bytes are valid during the call only (nghttp2 copies
  /// them).
  static func withFields<R>(
    _ constants: [nghttp2_nv], _ others: [(name: String, value: [UInt8])],
    _ body: (UnsafePointer<nghttp2_nv>, Int) -> R
  ) -> R {
    var storage: [UInt8] = []
    var ranges: [(name: Range<Int>, value: Range<Int>)] = []
    for (name, value) in others {
      let start = storage.count
      storage += name.utf8
      let middle = storage.count
      storage += value
      ranges.append((start..<middle, middle..<storage.count))
    }
    // Never empty, so that there is an address.
    storage.append(0)
    return storage.withUnsafeMutableBufferPointer { bytes in
      var fields = constants
      for range in ranges {
        // Safe: both ranges lie within `storage`.
        let base = bytes.baseAddress.unsafelyUnwrapped
        fields.append(
          nghttp2_nv(
            name: base + range.name.lowerBound, value: base + range.value.lowerBound, namelen: range.name.count,
            valuelen: range.value.count, flags: 0))
      }
      return fields.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped, $0.count) }
    }
  }
}

/// A view of a received name or value; valid during nghttp2's callback.
extension nghttp2_vec {
  @inline(__always) var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: len) }

  @inline(__always) func equals(_ text: StaticString) -> Bool {
    len == text.utf8CodeUnitCount && memcmp(base, text.utf8Start, len) == 0
  }

  @inline(__always) func hasPrefix(_ text: StaticString) -> Bool {
    len >= text.utf8CodeUnitCount && memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
