import EventLoop
import ServiceKit

/// Where results and complaints go.
struct Console: Sendable {
  /// Whether a person reads the results, so that headings may stand out.
  let isTerminal: Bool
  /// Whether a person looks at standard error, so that a line of it may change.
  let showsProgress: Bool
  /// Nobody reads the results any more: `omsctl … | head`.
  var isClosed: Bool { end.isReached.withLock { $0 } }
  private let end: End
  private let write: @Sendable (StandardStream, String) -> Void

  private final class End: Sendable {
    let isReached = Lock(false)
  }

  /// Standard output and standard error.
  init() {
    let end = End()
    self.init(
      isTerminal: StandardStream.output.isTerminal, showsProgress: StandardStream.error.isTerminal, end: end
    ) { stream, text in
      if !stream.write(text), stream == .output { end.isReached.withLock { $0 = true } }
    }
  }

  init(isTerminal: Bool, showsProgress: Bool = false, _ write: @escaping @Sendable (StandardStream, String) -> Void) {
    self.init(isTerminal: isTerminal, showsProgress: showsProgress, end: End(), write)
  }

  private init(
    isTerminal: Bool, showsProgress: Bool, end: End,
    _ write: @escaping @Sendable (StandardStream, String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.showsProgress = showsProgress
    self.end = end
    self.write = write
  }

  /// A result, with its newlines.
  func print(_ text: String) { write(.output, text) }

  func print(_ table: Table) { print(table.render(bold: isTerminal)) }

  /// One line about what is wrong.
  func complain(_ text: String) { write(.error, text + "\n") }

  /// A part of a line that may be written over.
  func showProgress(_ text: String) { write(.error, text) }
}
