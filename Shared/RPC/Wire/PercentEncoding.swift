/// The encoding of `grpc-message`: UTF-8 with everything but printable ASCII, and `%` itself, as `%XX`.
/// Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Status-Message".
enum PercentEncoding {
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// A space at either end is encoded, too: HTTP/2 allows none there (RFC 9113 §8.2.1), and peers drop the field.
  /// - Parameter limit: bytes of `text` beyond which it is cut, between two Unicode scalars.
  static func encode(_ text: String, limit: Int = .max) -> [UInt8] {
    let bytes = Array(text.utf8)
    var count = min(limit, bytes.count)
    while count > 0, count < bytes.count, bytes[count] & 0xc0 == 0x80 { count -= 1 }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    for (index, byte) in bytes[..<count].enumerated() {
      let isOuterSpace = byte == 0x20 && (index == 0 || index == count - 1)
      if (0x20...0x7e).contains(byte) && byte != 0x25 && !isOuterSpace {
        result.append(byte)
      } else {
        result += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return result
  }

  /// Never fails, as the specification wants: a `%` without two digits stays, invalid UTF-8 is repaired.
  static func decode(_ bytes: some Collection<UInt8>) -> String {
    let bytes = Array(bytes)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25, index + 2 < bytes.count, let high = digit(bytes[index + 1]),
        let low = digit(bytes[index + 2])
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
