import Glibc

/// A failed system call.
public struct SystemError: Error, Sendable, CustomStringConvertible {
  /// The function that failed, e.g. `bind`.
  public let call: String
  /// `errno`.
  public let number: Int32

  /// Takes the current `errno`.
  public init(_ call: String, errno number: Int32 = errno) {
    self.call = call
    self.number = number
  }

  /// What the system says of the number, e.g. `Address already in use`.
  public var reason: String { String(cString: strerror(number)) }
  /// Both, on one line.
  public var description: String { "\(call): \(reason)" }
}
