import CCrypto

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  public static let byteCount = 32

  /// The digest of several parts. Each is preceded by its length, so that no byte can pass from one to its neighbour unseen.
  public static func digest(ofParts parts: [[UInt8]]) -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    defer { EVP_MD_CTX_free(context) }
    check(EVP_DigestInit_ex(context, EVP_sha256(), nil))
    for part in parts {
      var length = UInt64(part.count).bigEndian
      check(EVP_DigestUpdate(context, &length, MemoryLayout.size(ofValue: length)))
      check(part.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) })
    }
    var digest = [UInt8](repeating: 0, count: byteCount)
    check(EVP_DigestFinal_ex(context, &digest, nil))
    return digest
  }

  private static func check(_ result: Int32) {
    precondition(result == 1, "libcrypto has no SHA-256: its configuration forbids it")
  }
}
