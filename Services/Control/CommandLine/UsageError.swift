/// The command line, or a file named on it, cannot be used. Exit code 2.
struct UsageError: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
