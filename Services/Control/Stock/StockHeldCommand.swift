import Messages
import ServiceKit
import Stubs

/// `omsctl stock held [apply|drop ID...]`
struct StockHeldCommand: Command {
  static let path = ["stock", "held"]
  static let arguments = "[apply|drop ID...]"
  static let summary = "shows the stock snapshots that wait for you, or applies or drops some"
  static let details = """
      --aggregate ID      in place of numbers: all that wait of one aggregate

    A snapshot waits when its created_on is more than ten minutes ahead: applied, it would hold off everything that comes
    before that time. apply takes it as of when it came; the parts of a NONZERO are applied or dropped together.
    The zeroing of a NONZERO waits when more than a fifth of the SKUs would become 0. What it names is applied already;
    apply sets the others to 0, but for those that have been set anew since.

    """
  static let completedArguments = ["apply", "drop"]
  static let options: Set<String> = ["aggregate"]

  private typealias Methods = Omsconnector.V1.InventoryServiceMethods

  /// What is decided.
  private enum Choice {
    case ids([Int64])
    case aggregate(String)
  }

  private let decision: (choice: Choice, apply: Bool)?

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    let aggregate = options["aggregate"]
    guard let verb = words.first else {
      if aggregate != nil { throw UsageError("--aggregate needs apply or drop before it") }
      decision = nil
      return
    }
    guard ["apply", "drop"].contains(verb) else { throw UsageError("\"\(verb)\" is neither apply nor drop") }
    if let aggregate {
      guard words.count == 1 else { throw UsageError("stock held \(verb) takes numbers or --aggregate, not both") }
      decision = (.aggregate(aggregate), verb == "apply")
      return
    }
    if words.count == 1 { try Self.expect(2, words) }
    var ids: [Int64] = []
    for word in words.dropFirst() {
      guard let id = Int64(word), id > 0 else {
        throw UsageError("\"\(word)\" is no held snapshot's number; omsctl stock held shows them")
      }
      if !ids.contains(id) { ids.append(id) }
    }
    decision = (.ids(ids), verb == "apply")
  }

  func run(in session: Session) async throws -> Int32 {
    let all = try await list(session)
    if let decision { return try await decide(decision.choice, apply: decision.apply, among: all, session) }
    switch session.format {
    case .json: session.console.print(all.json(writesDefaults: true) + "\n")
    case .table:
      session.console.print(Self.table(all.heldSnapshots))
      if !all.heldSnapshots.isEmpty { session.console.print("\ndecide: omsctl stock held apply ID, or drop ID\n") }
    }
    return 0
  }

  private func list(_ session: Session) async throws -> Omsconnector.V1.ListHeldSnapshotsResponse {
    let (snapshots, _) = try await PageTokens.collect(of: "the service") { size, token in
      let page = try await session.channel.unary(
        Methods.listHeldSnapshots, .init(pageSize: size, pageToken: token), options: session.options)
      return (page.heldSnapshots, page.nextPageToken)
    }
    return .init(heldSnapshots: snapshots)
  }

  /// Nothing is decided when one of the numbers is not there.
  private func decide(
    _ choice: Choice, apply: Bool, among all: Omsconnector.V1.ListHeldSnapshotsResponse, _ session: Session
  ) async throws -> Int32 {
    let ids: [Int64]
    switch choice {
    case .ids(let given):
      if let unknown = given.first(where: { id in !all.heldSnapshots.contains { $0.id == id } }) {
        session.console.complain(
          "no held snapshot \(unknown): it was decided, or overtaken by a later one; nothing is decided, see omsctl stock held"
        )
        return 1
      }
      ids = given
    case .aggregate(let id):
      ids = all.heldSnapshots.filter { $0.aggregateId == id }.map(\.id)
      if ids.isEmpty {
        session.console.complain("no snapshot of aggregate \(DisplayText.withoutControls(id)) waits")
        return 1
      }
    }
    // With one part of a NONZERO from the future, the others are decided.
    var parts = Set<Part>()
    var decided = 0
    var total = Omsconnector.V1.DecideHeldSnapshotResponse()
    do {
      for id in ids {
        decided += 1
        let part = all.heldSnapshots.first { $0.id == id }.flatMap { Part($0) }
        if let part, !parts.insert(part).inserted { continue }
        let response = try await session.channel.unary(
          Methods.decideHeldSnapshot, .init(id: id, apply: apply), options: session.options)
        total.add(response)
      }
    } catch {
      let before = decided - 1
      if before > 0 { session.console.complain("\(before) of \(ids.count) are decided; \(ids[before]) is not") }
      throw error
    }
    show(total, decided, session)
    return 0
  }

  /// What is the same of all parts of a NONZERO from the future.
  private struct Part: Hashable {
    let aggregateId: String
    let seconds: Int64
    let nanos: Int32

    init?(_ held: Omsconnector.V1.HeldSnapshot) {
      guard held.mode == .nonzero, held.reason == .future, let time = held.createdOn else { return nil }
      (aggregateId, seconds, nanos) = (held.aggregateId, time.seconds, time.nanos)
    }
  }

  private func show(_ total: Omsconnector.V1.DecideHeldSnapshotResponse, _ decided: Int, _ session: Session) {
    switch session.format {
    case .json: session.console.print(total.json(writesDefaults: true) + "\n")
    case .table:
      guard let applied = total.applied else {
        session.console.print(decided == 1 ? "dropped\n" : "\(decided) dropped\n")
        return
      }
      AppliedStock(applied, snapshots: decided).tables.forEach { session.console.print($0) }
    }
  }

  private static func table(_ held: [Omsconnector.V1.HeldSnapshot]) -> Table {
    var table = Table(
      .right("ID"), .left("AGGREGATE"), .left("MODE"), .left("CREATED ON"), .right("SKUS"), .right("ZEROS"),
      .right("WAITS"), .left("WHY"))
    for one in held {
      table.add(
        String(one.id), one.aggregateId, EnumText.short(one.mode, prefix: "SNAPSHOT_MODE_"), one.createdOn?.text ?? "",
        String(one.skus), String(one.zeros), Age.text(one.heldAt), one.explanation)
    }
    return table
  }
}

extension Omsconnector.V1.DecideHeldSnapshotResponse {
  /// Rows that are named per kind, of all snapshots together.
  private static let namedRows = 1_000

  fileprivate mutating func add(_ other: Self) {
    guard let more = other.applied else { return }
    var sum = applied ?? .init()
    sum.applied += more.applied
    sum.stale += more.stale
    sum.clamped += more.clamped
    sum.invalid += more.invalid
    sum.zeroed += more.zeroed
    sum.clampedRows += more.clampedRows.prefix(max(0, Self.namedRows - sum.clampedRows.count))
    sum.invalidRows += more.invalidRows.prefix(max(0, Self.namedRows - sum.invalidRows.count))
    applied = sum
  }
}
