/// When a channel leaves a replica alone that fails while others don't. Source: gRPC's proposal A50, "Outlier Detection",
/// with a rule for failures in a row beside its rate.
///
/// A failure is UNAVAILABLE, DEADLINE_EXCEEDED or INTERNAL from a replica, or a connection to it that is lost with calls on
/// it. Other statuses are answers. Each of a channel's loops judges by what it has seen.
public struct OutlierPolicy: Sendable, Hashable {
  /// Failures in a row for which a replica is left alone; 0 for no such rule.
  public var consecutiveFailures = 5
  /// The time over which a replica's rate of failures is taken.
  public var interval = Duration.seconds(10)
  /// Percent of an interval's calls that fail, from which on a replica is left alone; above 100 for no such rule.
  public var failurePercentage = 85
  /// Calls in an interval without which its rate says nothing.
  public var requestVolume = 50
  /// How long a replica is left alone the first time; the second time twice as long, and so on, up to `longestEjection`.
  public var baseEjection = Duration.seconds(10)
  /// How long a replica is left alone at most.
  public var longestEjection = Duration.seconds(120)
  /// Percent of the replicas that may be left alone at a time; one of them stays in any case.
  public var ejectionPercentage = 50

  /// The defaults, which are for production.
  public init() {}

  /// Every replica gets calls as long as it can be reached.
  public static var never: OutlierPolicy {
    var policy = OutlierPolicy()
    policy.consecutiveFailures = 0
    policy.failurePercentage = 101
    return policy
  }
}
