import EventLoop

/// The attempts of one call: whether it is made again after a failure, and when. Holds no clock and no randomness of its
/// own, and does nothing: the caller acts on what `next` returns.
struct RetryState {
  private let policy: RetryPolicy
  private let isIdempotent: Bool
  private let deadline: UInt64?
  /// Attempts that a server may have looked at, the one under way included.
  private var attempts = 1
  /// Attempts that none has looked at.
  private var unseenAttempts = 0
  private var backOff: BackOff

  /// Attempts that no server has looked at, which the policy does not count: servers that refuse a call without a look, one
  /// after the other, must not keep it for ever.
  static let unseenLimit = 5

  /// - Parameter deadline: in nanoseconds of the clock that `next` is asked with; nil for none.
  init(_ policy: RetryPolicy, isIdempotent: Bool, deadline: UInt64?) {
    self.policy = policy
    self.isIdempotent = isIdempotent
    self.deadline = deadline
    backOff = BackOff(
      first: policy.initialBackOff, longest: policy.longestBackOff, multiplier: policy.multiplier,
      jitter: policy.jitter)
  }

  /// How an attempt failed.
  struct Failure {
    var code: StatusCode
    var pushback = Pushback.none
    /// No server has looked at the call: it was refused (REFUSED_STREAM), is above the last stream of a GOAWAY, or was
    /// never sent.
    var isUnseen = false
    /// The response's headers have arrived: the caller may have seen a part of it.
    var responseBegan = false
  }

  enum Decision: Equatable {
    /// The failure is the call's.
    case giveUp
    /// Another attempt, after so many nanoseconds.
    case retry(afterNanoseconds: UInt64)
  }

  /// What the next attempt sends as `grpc-previous-rpc-attempts`.
  var previousAttempts: Int { attempts - 1 }

  /// - Parameter now: in nanoseconds.
  mutating func next(
    after failure: Failure, now: UInt64, budget: RetryBudget, random: inout some RandomNumberGenerator
  ) -> Decision {
    if failure.responseBegan { return .giveUp }
    if failure.isUnseen { return nextAfterUnseen(now: now, random: &random) }
    guard isIdempotent, isRetryable(failure) else { return .giveUp }
    budget.callFailed()
    guard attempts < policy.attemptLimit, budget.allowsRetry else { return .giveUp }
    let pause: UInt64
    switch failure.pushback {
    case .never: return .giveUp
    case .after(let nanoseconds):
      guard nanoseconds <= policy.longestPushback.nanoseconds else { return .giveUp }
      pause = nanoseconds
      backOff.reset()
    case .none:
      pause = backOff.next(using: &random)
    }
    guard isInTime(now: now, pause: pause) else { return .giveUp }
    attempts += 1
    return .retry(afterNanoseconds: pause)
  }

  /// A6, "Transparent Retries". Elsewhere at once the first time; more than one server that does not take the call is
  /// trouble, which is given time.
  private mutating func nextAfterUnseen(now: UInt64, random: inout some RandomNumberGenerator) -> Decision {
    guard unseenAttempts < RetryState.unseenLimit - 1 else { return .giveUp }
    let pause = unseenAttempts == 0 ? 0 : backOff.next(using: &random)
    guard isInTime(now: now, pause: pause) else { return .giveUp }
    unseenAttempts += 1
    return .retry(afterNanoseconds: pause)
  }

  private func isRetryable(_ failure: Failure) -> Bool {
    switch failure.code {
    case .unavailable: true
    // The server alone knows when it has room again.
    case .resourceExhausted: failure.pushback != .none
    default: false
    }
  }

  /// An attempt that begins when the deadline has passed is none.
  private func isInTime(now: UInt64, pause: UInt64) -> Bool {
    guard let deadline else { return true }
    return now < deadline && pause < deadline - now
  }
}
