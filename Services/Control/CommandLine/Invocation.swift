import ServiceKit

/// How results are shown.
enum OutputFormat: String, Equatable {
  case table
  case json
}

/// What omsctl is asked to do.
enum Request {
  /// Help or the version: a text, without calling anybody.
  case print(String)
  /// A word that begins several commands, and nothing more: the text says which.
  case incomplete(String)
  case call(Invocation)

  /// - Parameter arguments: without the program's name.
  init(parsing arguments: [String]) throws(UsageError) {
    let parsed = try Arguments(arguments, grammar: Invocation.grammar)
    let command = Commands.find(parsed.words)
    if parsed.flags.contains("version") {
      self = .print("omsctl \(Version.current)\n")
    } else if parsed.flags.contains("help") {
      self = .print(Self.help(command, parsed.words))
    } else if let command {
      self = .call(try Invocation(of: command, parsed))
    } else if parsed.words.count == 1, let help = ControlHelp.of(group: parsed.words[0]) {
      self = .incomplete(help)
    } else {
      throw parsed.words.isEmpty ? UsageError("no command") : Commands.unknown(parsed.words)
    }
  }

  private static func help(_ command: (any Command.Type)?, _ words: [String]) -> String {
    if let command { return ControlHelp.of(command) }
    return words.first.flatMap(ControlHelp.of(group:)) ?? ControlHelp.overview
  }
}

/// One use of a command, and the options that all commands have.
struct Invocation {
  let command: any Command
  let format: OutputFormat
  /// As given; nil lets the environment decide.
  let gateway: String?
  /// As given; nil leaves it to the command.
  let timeout: Duration?
  /// Of ``GatewayCredentials/options``, as given.
  let credentials: [String: String]

  /// The options that all commands have.
  static var commonOptions: Set<String> { valued.union(flags) }

  private static let valued: Set<String> = GatewayCredentials.options.union(["output", "gateway", "timeout"])
  private static let flags: Set<String> = ["help", "version", "json"]

  /// The options of all commands: which of them belong to the one that was given is looked at once it is known.
  static var grammar: Arguments.Grammar {
    Arguments.Grammar(
      valued: Commands.all.reduce(valued) { $0.union($1.options) },
      flags: Commands.all.reduce(flags) { $0.union($1.flags) },
      shortNames: ["o": "output", "h": "help"])
  }

  init(of type: any Command.Type, _ parsed: Arguments) throws(UsageError) {
    let given = parsed.flags.union(parsed.values.keys)
    if let foreign = given.subtracting(Self.valued.union(Self.flags).union(type.options).union(type.flags)).min() {
      throw UsageError("\(type.path.joined(separator: " ")) has no option --\(foreign)")
    }
    command = try type.init(Array(parsed.words.dropFirst(type.path.count)), options: parsed.values, flags: parsed.flags)
    format = try Self.format(parsed.values["output"], isJSON: parsed.flags.contains("json"))
    gateway = parsed.values["gateway"]
    timeout = try Self.timeout(parsed.values["timeout"])
    credentials = parsed.values.filter { GatewayCredentials.options.contains($0.key) }
  }

  private static func format(_ text: String?, isJSON: Bool) throws(UsageError) -> OutputFormat {
    guard let text else { return isJSON ? .json : .table }
    guard let format = OutputFormat(rawValue: text) else {
      throw UsageError("--output: \"\(text)\" is not table or json")
    }
    if isJSON, format != .json { throw UsageError("--json and --output \(text) contradict each other") }
    return format
  }

  private static func timeout(_ text: String?) throws(UsageError) -> Duration? {
    guard let text else { return nil }
    guard let timeout = DurationText.parse(text), timeout > .zero else {
      throw UsageError(
        "--timeout: \"\(text)\" is not a duration such as 500ms, 10s or 5m (units: \(DurationText.unitNames))")
    }
    return timeout
  }
}
