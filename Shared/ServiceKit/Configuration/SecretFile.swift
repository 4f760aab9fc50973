import EventLoop
import Glibc

/// A file that holds one secret, as orchestrators mount them.
public enum SecretFile {
  static let limit = 65_536

  /// Which file can't be used, why, and what to do.
  public struct ReadError: Error, CustomStringConvertible {
    public let description: String
  }

  /// The file's text without the newline that editors and `echo` put at its end.
  public static func read(_ path: String) throws(ReadError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = SystemError("open").reason
      throw ReadError(description: "cannot open \"\(path)\": \(reason); name a file that this user can read")
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count <= limit {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + count, limit + 1 - count) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw ReadError(description: "cannot read \"\(path)\": \(SystemError("read").reason)") }
      if got == 0 { break }
      count += got
    }
    guard count <= limit else { throw ReadError(description: "\"\(path)\" is longer than \(limit) bytes") }
    guard var text = String(validating: bytes[..<count], as: UTF8.self) else {
      throw ReadError(description: "\"\(path)\" is not UTF-8 text")
    }
    if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
    guard !text.isEmpty else { throw ReadError(description: "\"\(path)\" is empty; write the secret into it") }
    return text
  }
}
