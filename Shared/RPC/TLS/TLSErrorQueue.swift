import CTLS
import Glibc

/// OpenSSL's errors of this thread. It keeps them until somebody takes them, and takes what is left over from one
/// operation for the outcome of the next, also when it belongs to another connection.
enum TLSErrorQueue {
  /// Before every operation that says how it ended by way of `SSL_get_error`.
  @inline(__always) static func prepare() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// The first error, which is the cause of those behind it, and none is left.
  /// - Returns: OpenSSL's number of the reason within its library, 0 when there is none; and the reason in words.
  static func take() -> (code: Int32, reason: String) {
    let error = ERR_get_error()
    defer { ERR_clear_error() }
    guard error != 0 else { return (0, "an unknown error") }
    let code = ctls_reason_code(error)
    if let reason = ctls_reason(error) { return (code, String(cString: reason)) }
    // A failed system call; its number is the reason.
    return (0, String(cString: strerror(code)))
  }
}
