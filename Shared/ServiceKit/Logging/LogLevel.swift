/// How much a log line matters; `LOG_LEVEL` names the least that is written.
public enum LogLevel: UInt8, Sendable, CaseIterable, Comparable, CustomStringConvertible {
  case debug, info, warning, error

  public var description: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
