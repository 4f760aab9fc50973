/// How a channel makes a call again that has failed. Source: gRPC's proposal A6, "Client Retries".
///
/// A call is made again when its method is idempotent and its status says that another attempt may succeed: UNAVAILABLE,
/// or RESOURCE_EXHAUSTED from a server that says when to come back. A call that no server has looked at is made again
/// whatever its method. Never once a response has begun, and never when the deadline would pass before the attempt.
public struct RetryPolicy: Sendable, Hashable {
  /// How often a call is made in all, the first attempt included; 1 for never again.
  public var attemptLimit = 5
  /// The pause before the second attempt; each one after is longer by `multiplier`, up to `longestBackOff`.
  public var initialBackOff = Duration.milliseconds(20)
  /// The longest pause of our own accord.
  public var longestBackOff = Duration.seconds(2)
  /// How many times as long as the last one the next pause is, 1 or more.
  public var multiplier = 2.5
  /// By how much of itself a pause is made longer or shorter at random, 0 to 1, so that calls that failed together do not
  /// come back together.
  public var jitter = 0.2
  /// The longest pause that a server may ask for (`grpc-retry-pushback-ms`, or RetryInfo); one that asks for more is not
  /// asked again.
  public var longestPushback = Duration.seconds(60)
  /// What the channel's calls may spend on retries, all together.
  public var budget = RetryBudgetLimits()

  /// The defaults, which are for production.
  public init() {}

  /// Every call is made once, those that no server has looked at excepted.
  public static var never: RetryPolicy {
    var policy = RetryPolicy()
    policy.attemptLimit = 1
    return policy
  }
}

/// The size of a channel's retry budget (A6, "Throttling Retry Attempts and Hedged RPCs"): failures take a token each,
/// successes give a part of one back, and while half of the tokens or more are gone nothing is made again. A service that
/// is down is thus not met with five times the calls.
public struct RetryBudgetLimits: Sendable, Hashable {
  /// Tokens of a full budget, 1 to 1000. Enough for the calls in flight on a replica that is lost.
  public var tokens = 1000
  /// Tokens that a successful call gives back, 0.001 or more.
  public var tokensPerSuccess = 0.1

  /// The defaults, which are for production.
  public init() {}
}
