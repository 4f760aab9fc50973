/// The cause of an UNAVAILABLE that comes from this side: there is no connection to the target. Whoever passes such an
/// error on to others leaves its text out, as it tells where the target is.
public struct NoConnection: Error, Sendable, CustomStringConvertible {
  public let target: Target
  public let reason: String

  public var description: String { reason }
}
