import RPC
import ServiceKit

/// One thing that omsctl does.
protocol Command: Sendable {
  /// The words that name it: `stock`, `get`.
  static var path: [String] { get }
  /// What stands behind them in its usage line.
  static var arguments: String { get }
  /// One line for the overview.
  static var summary: String { get }
  /// The rest of its help; empty or lines with a newline at each end.
  static var details: String { get }
  /// What may stand behind its words, where that is known; for the completion.
  static var completedArguments: [String] { get }
  /// Its own options that take a value.
  static var options: Set<String> { get }
  /// Its own options that take none.
  static var flags: Set<String> { get }

  /// - Parameters:
  ///   - words: what follows the command's own words.
  ///   - options, flags: the given ones, the common ones among them.
  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError)

  /// Unless `--timeout` says otherwise.
  var defaultTimeout: Duration { get }

  /// - Returns: the exit code.
  func run(in session: Session) async throws -> Int32
}

extension Command {
  static var arguments: String { "" }
  static var details: String { "" }
  static var completedArguments: [String] { [] }
  static var options: Set<String> { [] }
  static var flags: Set<String> { [] }
  var defaultTimeout: Duration { .seconds(30) }

  /// For commands with a fixed number of words behind them.
  static func expect(_ count: Int, _ words: [String]) throws(UsageError) {
    guard words.count == count else {
      throw UsageError(
        "usage: omsctl \((path + [arguments]).joined(separator: " ")); \(words.isEmpty ? "no" : "\(words.count)") "
          + "argument\(words.count == 1 ? " is" : "s are") given")
    }
  }
}

/// All commands, in the order of the overview.
enum Commands {
  static let all: [any Command.Type] = [
    StatusCommand.self, CapabilitiesCommand.self, DoctorCommand.self, RegisterCommand.self, UnregisterCommand.self,
    DisableCommand.self, EnableCommand.self,
    StockGetCommand.self, StockListCommand.self, StockApplyCommand.self,
    StockImportCommand.self, StockExplainCommand.self, StockPushCommand.self, StockHeldCommand.self,
    StockResetTimestampCommand.self, StockSetCommand.self, AggregatesCommand.self, SourcesCommand.self,
    CatalogListCommand.self, CatalogShowCommand.self, CatalogExportCommand.self, CatalogImportCommand.self,
    CatalogHeldCommand.self,
    OrdersListCommand.self, OrdersShowCommand.self, OrdersExportCommand.self, OrdersResumeCommand.self,
    OrdersCancelCommand.self, OrdersCommentCommand.self, ShipmentsListCommand.self, ShipmentsShipCommand.self,
    ShipmentsDeclineCommand.self, RefundsListCommand.self, RefundsShowCommand.self, RefundsResumeCommand.self,
    RefundsSettleCommand.self, ReturnsListCommand.self, ReturnsShowCommand.self, ReturnsAuthorizeCommand.self,
    ReturnsResumeCommand.self,
    JournalListCommand.self, JournalShowCommand.self, JournalTailCommand.self,
    JournalReplayCommand.self, JournalDiscardCommand.self, QueueCommand.self, DeadCommand.self, OutboxListCommand.self,
    OutboxShowCommand.self, OutboxRetryCommand.self, OutboxDiscardCommand.self, ReportCommand.self,
    BackupCommand.self, RestoreCommand.self, CompletionCommand.self,
  ]

  static func find(_ words: [String]) -> (any Command.Type)? { all.first { words.starts(with: $0.path) } }

  /// The commands that begin with a word and go on with another.
  static func group(_ word: String) -> [any Command.Type] { all.filter { $0.path.count > 1 && $0.path[0] == word } }

  /// Names the command that was meant, where one is near.
  static func unknown(_ words: [String]) -> UsageError {
    var candidates = all.map { $0.path }
    if words.count == 1 { candidates += Set(candidates.filter { $0.count > 1 }.map { $0[0] }).sorted().map { [$0] } }
    let near = candidates.map { path in
      let (name, given) = (path.joined(separator: " "), words.prefix(path.count).joined(separator: " "))
      return (name: name, distance: EditDistance.between(given, name), missing: path.count - words.count)
    }.filter { $0.missing <= 0 && $0.distance <= max(1, $0.name.utf8.count / 3) }
    // Of two that are as near, the longer one explains more of what was given.
    let best = near.min { ($0.distance, -$0.name.utf8.count) < ($1.distance, -$1.name.utf8.count) }
    let given = words.prefix(2).joined(separator: " ")
    return UsageError("unknown command \"\(given)\"" + (best.map { "; the nearest is \"\($0.name)\"" } ?? ""))
  }
}

/// What a command works with: the gateway, and where its results go.
struct Session: Sendable {
  let channel: Channel
  let options: CallOptions
  let format: OutputFormat
  let console: Console
  /// Says where the stores are, to those who work on these and not with the gateway.
  let environment: Environment
}
