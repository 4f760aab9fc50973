import Messages

extension Session {
  /// Prints an answer in the format that was asked for.
  func show(_ answer: some Message, as table: @autoclosure () -> Table) {
    switch format {
    case .json: console.print(answer.json(writesDefaults: true) + "\n")
    case .table: console.print(table())
    }
  }

  /// Says that a list was cut, if it was.
  ///
  /// - Parameter token: of the page behind it; empty when there is none.
  func complainOfMore(behind token: String) {
    if !token.isEmpty { console.complain("there are more; raise --limit to see them") }
  }
}
