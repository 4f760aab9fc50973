import CCrypto

/// What a file's contents are told by.
public struct FileDigest: Sendable, Equatable {
  public let bytes: Int64
  /// SHA-256 in lower-case hexadecimal, as `sha256sum` prints it.
  public let sha256: String

  public init(bytes: Int64, sha256: String) {
    self.bytes = bytes
    self.sha256 = sha256
  }

  /// Reads the whole file.
  public init(of path: String) throws(StorageError) {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    defer { EVP_MD_CTX_free(context) }
    var isDigested = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    var bytes: Int64 = 0
    try FilePath.read(path) { piece throws(StorageError) in
      bytes += Int64(piece.count)
      isDigested = piece.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) } == 1 && isDigested
    }
    var digest = [UInt8](repeating: 0, count: SHA256.byteCount)
    isDigested = EVP_DigestFinal_ex(context, &digest, nil) == 1 && isDigested
    precondition(isDigested, "libcrypto has no SHA-256: its configuration forbids it")
    self.bytes = bytes
    sha256 = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
