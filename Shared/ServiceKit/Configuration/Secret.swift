/// A value that must never reach a log, an error's text or a core of debug output: it shows itself as dots.
public struct Secret: Sendable, Equatable {
  private let value: String

  public init(_ value: String) { self.value = value }

  /// The value itself, for the one place that needs it.
  public func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "••••" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
