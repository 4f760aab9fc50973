import ServiceKit

/// Where results and complaints go.
struct Console: Sendable {
  /// Whether a person reads the results, so that headings may stand out.
  let isTerminal: Bool
  private let write: @Sendable (StandardStream, String) -> Void

  /// Standard output and standard error.
  init() {
    self.init(isTerminal: StandardStream.output.isTerminal) { stream, text in stream.write(text) }
  }

  init(isTerminal: Bool, _ write: @escaping @Sendable (StandardStream, String) -> Void) {
    self.isTerminal = isTerminal
    self.write = write
  }

  /// A result, with its newlines.
  func print(_ text: String) { write(.output, text) }

  func print(_ table: Table) { print(table.render(bold: isTerminal)) }

  /// One line about what is wrong.
  func complain(_ text: String) { write(.error, text + "\n") }
}
