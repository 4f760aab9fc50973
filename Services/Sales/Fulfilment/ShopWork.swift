import Commerce
import Messages
import ServiceKit
import Storage

/// Brings the shop up to what the OMS has told of an order: reads both, lets ``ShopPlan`` decide, does one step, and reads again.
///
/// A step that makes a document is noted before the shop is asked. When its end is not known – this process was killed, the answer
/// was lost, the shop failed – the document is looked for by its comment before anything else is done; what was to get money and
/// can't be found goes to an operator (magento-rules.md §1 and §4).
struct ShopWork: Sendable {
  let store: SalesStore
  let link: any FulfilmentShop
  let mapping: Mapping
  let options: Options
  /// Told when stock has to be pushed anew.
  var stockMoved: @Sendable () -> Void = {}

  struct Options: Sendable {
    /// Whether the shop tells customers of shipments by mail.
    var notifiesOfShipments = true
    /// Sales channels of which it does not all the same.
    var silentChannels: Set<String> = []
    /// Whether the shop has multi-source inventory.
    var usesSources: @Sendable () async throws -> Bool = { false }
    /// After that the shop is done with a request, whatever became of it: what isn't there then is not coming.
    var grace: Duration = .seconds(30)
    /// "Could not save" may pass (magento-rules.md §4): what asks no gateway is tried again for so long, from what the shop says then.
    var refusalPatience: Duration = .seconds(15 * 60)
    /// What fails for that long is an operator's.
    var giveUpAfter = WorkRunner.Options().giveUpAfter
  }

  /// Between two tries of a document that the shop fails on.
  static let longestPause = Duration.seconds(300)
  /// A round that does more than this is looked at again later: no plan needs as many.
  static let stepLimit = 200

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    let age = Duration.nanoseconds(max(0, WallClock.nanoseconds() - item.addedAt))
    do {
      let outcome = try await follow(item)
      guard case .unsettled(let after, let reason) = outcome else { return outcome }
      return try await unsettled(item, age, after, reason)
    } catch let refusal as PassingRefusal {
      guard age > options.refusalPatience else { throw refusal.error }
      try await attend(item.key, "\(refusal.error)")
      return .parked(reason: "\(refusal.error)")
    } catch let error where !(error is CancellationError) {
      guard age > options.giveUpAfter else { throw error }
      return try await giveUp(item, "\(error)")
    }
  }

  /// A shop that fails each time it is asked for a document, and never makes it, is an operator's long before it is given up.
  private func unsettled(
    _ item: WorkItem, _ age: Duration, _ after: Duration, _ reason: String
  ) async throws -> WorkOutcome {
    if age > options.giveUpAfter { return try await giveUp(item, reason) }
    if age > options.refusalPatience { try await attend(item.key, reason) }
    return .unsettled(after: max(after, min(age / 10, Self.longestPause)), reason: reason)
  }

  /// Whoever looks at the order has to see that nothing goes on with it any more.
  private func giveUp(_ item: WorkItem, _ why: String) async throws -> WorkOutcome {
    let reason = "given up after \(item.attempts + 1) attempts: \(why)"
    try await attend(item.key, "\(reason); once that is mended: omsctl orders resume \(item.key)")
    return .parked(reason: reason)
  }

  private func follow(_ item: WorkItem) async throws -> WorkOutcome {
    for _ in 0..<Self.stepLimit {
      switch try await step(item.key) {
      case .goOn: continue
      case .end(let outcome): return outcome
      }
    }
    return .again(after: .seconds(60), reason: "\(Self.stepLimit) steps were not enough")
  }

  enum Progress {
    case goOn
    case end(WorkOutcome)
  }

  private func step(_ id: String) async throws -> Progress {
    let (store, mapping) = (store, mapping)
    let read = try await store.database.read { connection in
      (try store.ledger(connection, id, mapping), try store.begunStep(connection, of: id))
    }
    guard let ledger = read.0 else { return .end(.done) }
    let shop = try await link.read(ledger.entityID)
    if let begun = read.1 { return try await resolve(begun, ledger, shop) }
    if ledger.isWithOMS { try await look(at: shop, ledger) }
    var plan = ShopPlan(ledger: ledger, shop: shop, now: WallClock.nanoseconds())
    plan.refusedStatuses = RefusedStatuses.shared.all
    switch plan.next {
    case .invoice(let step): return try await invoice(step, ledger, shop)
    case .ship(let step): return try await ship(step, ledger, shop)
    case .finish(let key, _, _):
      try await write(id) { try store.finishParcel($0, of: id, key, now: WallClock.nanoseconds()) }
      return .goOn
    case .cancel: return try await cancel(ledger, shop)
    case .comment(let comment, let status): return try await say(comment, status, ledger)
    case .wait(let nanoseconds, let reason):
      // What kept it from going on before does so no more.
      try await attend(id, nil)
      return .end(.again(after: .nanoseconds(max(nanoseconds, 1_000_000_000)), reason: reason))
    case .stuck(let reason): return try await stuck(id, reason)
    case .done:
      try await attend(id, nil)
      return .end(.done)
    }
  }

  // MARK: -

  func stuck(_ id: String, _ reason: String) async throws -> Progress {
    try await attend(id, reason)
    return .end(.parked(reason: reason))
  }

  /// What an operator has to look at: why nothing goes on, and what people made in the shop.
  func attend(_ id: String, _ reason: String?) async throws {
    let store = store
    try await write(id) { connection in
      let warnings = try store.documents(connection, of: id).compactMap(\.warning)
      let text = ([reason] + warnings.map(Optional.some)).compactMap { $0 }.joined(separator: "; ")
      guard let order = try store.order(connection, id), order.attention != text else { return }
      try store.setAttention(connection, of: id, text)
    }
  }

  func end(_ id: String) async throws {
    let store = store
    try await write(id) { try store.endStep($0, of: id) }
  }

  func write<Value: Sendable>(
    _ id: String, _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    try await store.database.write(key: id, body)
  }
}
