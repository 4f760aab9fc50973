import CCrypto

/// SHA-256 over several byte strings, each with its length in front, so that no two lists give the same input.
struct MessageDigest {
  /// - Returns: 32 bytes.
  static func sha256(_ parts: [UInt8]...) -> [UInt8] {
    var input: [UInt8] = []
    input.reserveCapacity(parts.reduce(0) { $0 + $1.count + 8 })
    for part in parts {
      withUnsafeBytes(of: UInt64(part.count).littleEndian) { input += $0 }
      input += part
    }
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = EVP_Digest(input, input.count, &digest, &length, EVP_sha256(), nil)
    precondition(done == 1 && length == 32, "libcrypto has no SHA-256: its configuration forbids it")
    return digest
  }
}
