/// The cause of an UNAVAILABLE that comes from this side: there is no connection to the target. Whoever passes such an
/// error on to others leaves its text out, as it tells where the target is.
public struct NoConnection: Error, Sendable, CustomStringConvertible {
  /// What could not be reached.
  public let target: Target
  /// Why, with the addresses that were tried.
  public let reason: String

  /// The reason.
  public var description: String { reason }
}
