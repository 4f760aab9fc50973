/// TLS that can't be set up: which file or value, what is wrong with it, and what to do.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or the value, with what it is for, e.g. `TLS key /run/secrets/tls.key`.
  public let subject: String
  /// What is wrong with it, e.g. `No such file or directory`.
  public let reason: String
  /// What to do about it.
  public let remedy: String

  init(_ subject: String, _ reason: String, remedy: String) {
    self.subject = subject
    self.reason = reason
    self.remedy = remedy
  }

  /// All three, on one line.
  public var description: String { "\(subject): \(reason); \(remedy)" }
}
