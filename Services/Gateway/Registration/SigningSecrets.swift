import EventLoop
import HTTP
import ServiceKit
import Storage

/// What the OMS signs its messages with: the secret that is sent with the registration, and those that it may still use.
///
/// The OMS goes on signing with the secret that it has until it has accepted a registration with the new one, and for a
/// while after: messages are on their way, and a bus of several machines does not change all at once.
final class SigningSecrets: Sendable {
  /// How long the secret of before is accepted after the OMS has taken the new one.
  static let grace = Duration.seconds(600)
  /// Secrets that are accepted at the same time. Who changes them more often while the OMS is away has the oldest refused
  /// that the OMS has never had.
  static let limit = 4

  private struct Held {
    let secret: Secret
    let key: HMAC.SHA1Key
    let generation: Int
    /// nil: for as long as the OMS may use it.
    var end: ContinuousClock.Instant?

    init(_ secret: Secret, _ generation: Int) {
      self.secret = secret
      key = HMAC.SHA1Key(Array(secret.reveal().utf8))
      self.generation = generation
    }
  }
  private struct State {
    /// The newest last; never empty.
    var held: [Held]
    /// What the OMS has.
    var registered: Int?
  }
  private let state: Lock<State>
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameter now: a clock that never goes back.
  init(_ secret: Secret, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    state = Lock(State(held: [Held(secret, 0)]))
    self.now = now
  }

  /// What to register with, and its number, which ``registered(_:)`` takes.
  var current: (secret: Secret, generation: Int) {
    state.withLock { state in (state.held[state.held.count - 1].secret, state.held[state.held.count - 1].generation) }
  }

  /// The keys with which a message may be signed now, the newest first.
  var keys: [HMAC.SHA1Key] {
    let now = now()
    return state.withLock { state in
      state.held.removeAll { $0.end.map { $0 <= now } ?? false }
      return state.held.reversed().map(\.key)
    }
  }

  /// All of them, to be kept out of texts.
  var all: [Secret] { state.withLock { $0.held.map(\.secret) } }

  /// Whether the OMS has been heard to have one of them. Until then it may sign with one that is forgotten: the gateway was started
  /// anew, and the secret has changed meanwhile.
  var isSettled: Bool { state.withLock { $0.registered != nil } }

  /// There is a new secret.
  ///
  /// - Returns: false when it is the one that is there already.
  func replace(with secret: Secret) -> Bool {
    state.withLock { state in
      let current = state.held[state.held.count - 1]
      guard current.secret != secret else { return false }
      state.held.append(Held(secret, current.generation + 1))
      while state.held.count > Self.limit {
        let isSpared = state.held.first?.generation == state.registered
        state.held.remove(at: isSpared ? 1 : 0)
      }
      return true
    }
  }

  /// By which gateways that have the same secrets tell each other which one the OMS has: too little to guess a secret by.
  static func mark(of secret: Secret) -> [UInt8] {
    Array(SHA256.digest(ofParts: [Array("which secret the OMS has".utf8), Array(secret.reveal().utf8)]).prefix(2))
  }

  /// Another gateway has registered with the secret of this mark.
  func registered(mark: [UInt8]) {
    let generation = state.withLock { state in state.held.last { Self.mark(of: $0.secret) == mark }?.generation }
    if let generation { registered(generation) }
  }

  /// The OMS has accepted a registration with the secret of this number: older ones end soon.
  func registered(_ generation: Int) {
    let end = now().advanced(by: Self.grace)
    state.withLock { state in
      state.registered = generation
      for index in state.held.indices where state.held[index].generation < generation && state.held[index].end == nil {
        state.held[index].end = end
      }
    }
  }
}
