import Glibc

/// Signals that ask a process to end, ignored while it does what must not be broken off.
struct IgnoredSignals {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]
  private let before: [(@convention(c) (Int32) -> Void)?]

  init() { before = Self.numbers.map { signal($0, SIG_IGN) } }

  func end() {
    for (number, handler) in zip(Self.numbers, before) { signal(number, handler) }
  }
}
