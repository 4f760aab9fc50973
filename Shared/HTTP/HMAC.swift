import CCrypto

/// Message authentication as the service bus does it.
public enum HMAC {
  /// A key of HMAC-SHA1 (RFC 2104) for many messages: what depends on the key alone is done once.
  public final class SHA1Key: Sendable {
    // Never changed: each message gets a copy.
    private nonisolated(unsafe) let prepared: OpaquePointer

    public init(_ key: [UInt8]) {
      // OpenSSL takes a null key for "the key of the last call": an empty key needs an address as well.
      let bytes = key.isEmpty ? [0] : key
      guard let prepared = ccrypto_hmac_sha1(bytes, key.count) else {
        preconditionFailure("libcrypto has no SHA-1: its configuration forbids it")
      }
      self.prepared = prepared
    }

    deinit { EVP_MAC_CTX_free(prepared) }

    /// The digest of a message as 40 lower-case hexadecimal digits.
    public func hexDigest(of message: [UInt8]) -> String {
      guard let context = EVP_MAC_CTX_dup(prepared) else { preconditionFailure("out of memory") }
      defer { EVP_MAC_CTX_free(context) }
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digest in
        var length = 0
        let isDone =
          EVP_MAC_update(context, message, message.count) == 1
          && EVP_MAC_final(context, digest.baseAddress, &length, digest.count) == 1
        precondition(isDone && length == digest.count, "libcrypto failed at an HMAC")
        return hex(UnsafeBufferPointer(digest))
      }
    }
  }

  /// HMAC-SHA1 (RFC 2104) as 40 lower-case hexadecimal digits.
  public static func sha1Hex(key: [UInt8], message: [UInt8]) -> String { SHA1Key(key).hexDigest(of: message) }

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

  static func hex(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
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
