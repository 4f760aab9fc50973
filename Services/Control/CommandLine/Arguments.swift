/// A command line taken apart: words, and options with or without a value, in any order.
struct Arguments: Equatable {
  /// The options of one kind of command line. Every option is known by its long name, without dashes.
  struct Grammar {
    /// Options that take a value: `--limit N`, `--limit=N`.
    var valued: Set<String> = []
    /// Options that are there or not: `--remove`.
    var flags: Set<String> = []
    /// Short name → long name: `-o` → `output`.
    var shortNames: [Character: String] = [:]
  }

  private(set) var words: [String] = []
  private(set) var values: [String: String] = [:]
  private(set) var flags: Set<String> = []

  /// - Parameter arguments: without the program's name. After `--` everything is a word, so that a SKU may begin with a
  ///   dash.
  init(_ arguments: some Sequence<String>, grammar: Grammar) throws(UsageError) {
    var rest = Array(arguments)[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        words += rest
        break
      }
      guard argument.hasPrefix("-"), argument != "-" else {
        words.append(argument)
        continue
      }
      let option = try Option(argument, grammar)
      if grammar.flags.contains(option.name) {
        guard option.value == nil else { throw UsageError("--\(option.name) takes no value") }
        flags.insert(option.name)
      } else {
        guard let value = option.value ?? rest.popFirst() else { throw UsageError("\(argument) needs a value") }
        guard values.updateValue(value, forKey: option.name) == nil else {
          throw UsageError("--\(option.name) is given twice")
        }
      }
    }
  }

  /// One option as it stands on the line: `--name`, `--name=value`, `-n`, `-nvalue`.
  private struct Option {
    let name: String
    let value: String?

    init(_ argument: String, _ grammar: Grammar) throws(UsageError) {
      if argument.hasPrefix("--") {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count == 2 ? String(parts[1]) : nil
      } else {
        let rest = argument.dropFirst(2)
        name = argument.dropFirst().first.flatMap { grammar.shortNames[$0] } ?? ""
        value = rest.isEmpty ? nil : String(rest)
      }
      guard grammar.valued.contains(name) || grammar.flags.contains(name) else {
        throw UsageError("unknown option \"\(argument)\"")
      }
    }
  }
}
