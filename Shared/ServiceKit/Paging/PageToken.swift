/// Where a page of a list begins, with a checksum that binds it to its list.
///
/// Opaque to clients (AIP-158), so that what it holds can change; a token of another list, or one that was made up, is refused
/// instead of being taken for a place.
public enum PageToken {
  /// Of the layout: a token of an older one is refused.
  private static let version: UInt8 = 1

  /// - Parameters:
  ///   - place: what the page before ended with; not empty.
  ///   - list: what is listed: a parent, a filter.
  public static func encode(after place: String, of list: String) -> String {
    var bytes = [version]
    bytes += bigEndian(checksum(list, Array(place.utf8)))
    bytes += place.utf8
    return Base64URL.encode(bytes)
  }

  /// - Returns: the place behind which the page begins; nil when the token is none of this list's.
  public static func decode(_ token: String, of list: String) -> String? {
    guard let bytes = Base64URL.decode(token), bytes.count > 9, bytes[0] == version else { return nil }
    let place = Array(bytes[9...])
    guard Array(bytes[1..<9]) == bigEndian(checksum(list, place)) else { return nil }
    return String(validating: place, as: UTF8.self)
  }

  private static func bigEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }

  /// FNV-1a, 64 bits: guards against mistakes, not against forgery, which would gain nothing.
  private static func checksum(_ list: String, _ place: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for part in [Array(list.utf8), [0], place] {
      for byte in part { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    return hash
  }
}

/// RFC 4648 §5, without padding.
enum Base64URL {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// - Returns: nil for anything but what ``encode(_:)`` writes.
  static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for character in text.utf8 {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return encode(bytes) == text ? bytes : nil
  }
}
