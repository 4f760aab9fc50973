import EventLoop
import ServiceKit

@testable import Control

/// What a command has printed.
final class Captured: Sendable {
  private let texts = Lock<[StandardStream: String]>([:])

  var console: Console {
    Console(isTerminal: false) { stream, text in self.texts.withLock { $0[stream, default: ""] += text } }
  }

  var output: String { texts.withLock { $0[.output] ?? "" } }
  var error: String { texts.withLock { $0[.error] ?? "" } }
}
