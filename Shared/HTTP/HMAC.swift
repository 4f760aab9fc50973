import CCrypto

/// Message authentication as the service bus does it.
public enum HMAC {
  /// HMAC-SHA1 (RFC 2104) as 40 lower-case hexadecimal digits.
  public static func sha1Hex(key: [UInt8], message: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 20)
    var length: UInt32 = 0
    // OpenSSL takes a null key for "the key of the last call": an empty key needs an address as well.
    let keyBytes = key.isEmpty ? [0] : key
    let result = CCrypto.HMAC(EVP_sha1(), keyBytes, Int32(key.count), message, message.count, &digest, &length)
    precondition(result != nil && length == 20, "libcrypto has no SHA-1: its configuration forbids it")
    return hex(digest)
  }

  /// HMAC-SHA256 (RFC 2104, FIPS 180-4): 32 bytes.
  public static func sha256(key: [UInt8], message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let keyBytes = key.isEmpty ? [0] : key
    let result = CCrypto.HMAC(EVP_sha256(), keyBytes, Int32(key.count), message, message.count, &digest, &length)
    precondition(result != nil && length == 32, "libcrypto has no SHA-256")
    return digest
  }

  /// Whether both hold the same bytes, in a time that depends on their lengths only, so that an attacker can't find a
  /// signature byte by byte.
  public static func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }

  static func hex(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { characters in
      for (index, byte) in bytes.enumerated() {
        characters[2 * index] = digit(byte >> 4)
        characters[2 * index + 1] = digit(byte & 15)
      }
      return bytes.count * 2
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
