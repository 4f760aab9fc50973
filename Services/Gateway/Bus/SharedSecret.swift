import EventLoop
import ServiceKit

/// A secret that may change while it is in use.
final class SharedSecret: Sendable {
  private let value: Lock<Secret>

  init(_ secret: Secret) { value = Lock(secret) }

  var current: Secret { value.withLock { $0 } }

  /// - Returns: whether it is another one.
  func replace(with secret: Secret) -> Bool {
    value.withLock { value in
      guard value != secret else { return false }
      value = secret
      return true
    }
  }
}
