/// What a service's exit code tells its supervisor.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case stopped = 0
  case failed = 1
  case badConfiguration = 2
  case cannotStart = 3
  case cutOff = 4

  /// For `--help`.
  public var meaning: String {
    switch self {
    case .stopped: "stopped as asked; with --check: healthy"
    case .failed: "failed while running; with --check: not healthy"
    case .badConfiguration: "bad configuration or arguments"
    case .cannotStart: "could not start: an address is in use, a store cannot be opened"
    case .cutOff: "stopped as asked, but calls had to be cut off"
    }
  }
}
