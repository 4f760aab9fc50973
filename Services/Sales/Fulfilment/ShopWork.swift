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
  let link: ShopLink
  let options: Options
  /// Told when stock has to be pushed anew.
  var stockMoved: @Sendable () -> Void = {}

  struct Options: Sendable {
    /// Whether the shop tells customers of shipments by mail.
    var notifiesOfShipments = true
    /// Whether the shop has multi-source inventory.
    var usesSources: @Sendable () async throws -> Bool = { false }
    /// After that the shop is done with a request, whatever became of it: what isn't there then is not coming.
    var grace: Duration = .seconds(30)
  }

  /// A round that does more than this is looked at again later: no plan needs as many.
  static let stepLimit = 200

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
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
    let (store, mapping) = (store, link.shop.mapping)
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
      return .end(.again(after: .nanoseconds(max(nanoseconds, 1_000_000_000)), reason: reason))
    case .stuck(let reason): return try await stuck(id, reason)
    case .done:
      try await attend(id, nil)
      return .end(.done)
    }
  }

  // MARK: Documents

  private func invoice(
    _ step: ShopPlan.Invoice, _ ledger: FulfilmentLedger, _ shop: OrderInShop
  ) async throws -> Progress {
    try await begin(.invoice, marker: step.marker, captures: step.capture, amount: step.amount, ledger, shop)
    return try await made(ledger, captures: step.capture) {
      _ = try await link.invoice(ledger.entityID, step)
    }
  }

  private func ship(_ step: ShopPlan.Ship, _ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    var source: String?
    if try await options.usesSources() {
      let ofWebsite = link.shop.mapping.aggregates.values.filter { $0.website == ledger.website }.compactMap(\.source)
      guard let first = Set(ofWebsite).sorted().first else {
        return try await stuck(
          ledger.incrementID,
          "website \"\(ledger.website)\" has no source to ship from; "
            + "add source=CODE to its line `aggregate ID = \(ledger.website)` in the mapping file")
      }
      source = first
    }
    try await begin(.shipment, marker: step.marker, captures: false, ledger, shop)
    return try await made(ledger, captures: false) {
      _ = try await link.ship(ledger.entityID, step, source: source, notify: options.notifiesOfShipments)
    }
  }

  private func cancel(_ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    try await begin(.cancellation, marker: "", captures: false, ledger, shop)
    return try await made(ledger, captures: false) {
      if try await !link.cancel(ledger.entityID) {
        throw CommerceError(
          .refused, status: 200, request: "POST V1/orders/\(ledger.entityID)/cancel",
          "the shop can't cancel what is left of the order now")
      }
    }
  }

  private func begin(
    _ kind: BegunStep.Kind, marker: String, captures: Bool, amount: Decimal = 0, _ ledger: FulfilmentLedger,
    _ shop: OrderInShop
  ) async throws {
    let (store, id) = (store, ledger.incrementID)
    let step = BegunStep(
      kind: kind, marker: marker, captures: captures, knownCaptures: shop.captures.count, totalPaid: shop.totalPaid,
      amount: amount, begunAt: WallClock.nanoseconds())
    try await write(id) { try store.begin($0, of: id, step) }
  }

  /// Asks the shop. What it answers decides only whether to look at once: the next step reads what has become of it.
  private func made(
    _ ledger: FulfilmentLedger, captures: Bool, _ ask: () async throws -> Void
  ) async throws -> Progress {
    do {
      try await ask()
      return .goOn
    } catch let error as CommerceError {
      if error.mayHaveHadEffect {
        return .end(.again(after: options.grace, reason: "\(error); it may have been done all the same"))
      }
      if captures, error.kind == .refused {
        // "Could not save an invoice" can come after the gateway has captured: magento-rules.md §4.
        let shop = try await link.read(ledger.entityID)
        if let begun = try await begunStep(ledger.incrementID) {
          if isThere(begun, shop) { return .goOn }
          if !Self.isRefusedBeforeCapture(error) { return try await undecided(begun, ledger, shop, "\(error)") }
        }
      }
      try await end(ledger.incrementID)
      // The shop's source is filled by the stock that is pushed, which may come a moment later.
      if error.message.contains("products are available") {
        try await attend(ledger.incrementID, "\(error)")
        throw error
      }
      if error.kind == .refused || error.kind == .notFound { return try await stuck(ledger.incrementID, "\(error)") }
      throw error
    }
  }

  /// What Magento says before it asks the payment gateway. All else, also in another language, may have come after.
  private static func isRefusedBeforeCapture(_ error: CommerceError) -> Bool {
    ["Document Validation Error", "invalid quantity to invoice", "without products"].contains {
      error.message.contains($0)
    }
  }

  private func begunStep(_ id: String) async throws -> BegunStep? {
    let store = store
    return try await store.database.read { try store.begunStep($0, of: id) }
  }

  /// What became of a step whose end is not noted.
  private func resolve(_ begun: BegunStep, _ ledger: FulfilmentLedger, _ shop: OrderInShop) async throws -> Progress {
    if isThere(begun, shop) {
      // The step stays until somebody resumes the order: nothing goes on while it is not known whether the money has come.
      if let problem = begun.captures ? captureProblem(begun, shop) : nil {
        return try await stuck(ledger.incrementID, problem)
      }
      try await end(ledger.incrementID)
      return .goOn
    }
    let age = Duration.nanoseconds(max(0, WallClock.nanoseconds() - begun.begunAt))
    if age < options.grace {
      return .end(
        .again(after: options.grace - age, reason: "waits whether the shop has done a \(begun.kind.rawValue)"))
    }
    if begun.captures { return try await undecided(begun, ledger, shop, "its answer was lost") }
    try await end(ledger.incrementID)
    return .goOn
  }

  private func isThere(_ begun: BegunStep, _ shop: OrderInShop) -> Bool {
    switch begun.kind {
    case .invoice: shop.invoices.contains { $0.isMarked(begun.marker) }
    case .shipment: shop.shipments.contains { $0.isMarked(begun.marker) }
    case .cancellation: shop.isOver || shop.items.contains { $0.cancelled > 0 }
    }
  }

  /// An invoice can end paid without money: with a closed authorisation, or one that was only authorised (magento-rules.md §1).
  private func captureProblem(_ begun: BegunStep, _ shop: OrderInShop) -> String? {
    guard let invoice = shop.invoices.first(where: { $0.isMarked(begun.marker) }) else { return nil }
    if invoice.state != 2 {
      return "invoice \(invoice.incrementID) was to capture \(invoice.grandTotal) and is not paid"
    }
    if invoice.grandTotal.isZero { return nil }
    if shop.captures.count <= begun.knownCaptures {
      return "invoice \(invoice.incrementID) over \(invoice.grandTotal) is paid in the shop, "
        + "but no capture of its payment gateway is known there; look there whether the money has come"
    }
    let paid = shop.totalPaid - begun.totalPaid
    if paid != invoice.grandTotal {
      return "invoice \(invoice.incrementID) is over \(invoice.grandTotal), but the order's total_paid grew by \(paid)"
    }
    return nil
  }

  /// Money may have been taken or not: nothing is tried again before somebody has looked at the payment gateway.
  private func undecided(
    _ begun: BegunStep, _ ledger: FulfilmentLedger, _ shop: OrderInShop, _ why: String
  ) async throws -> Progress {
    try await stuck(
      ledger.incrementID,
      "it is not known whether \(begun.amount) were captured: \(why). The shop has no invoice for it, \(shop.captures.count) captures "
        + "(\(begun.knownCaptures) before) and total_paid \(shop.totalPaid) (\(begun.totalPaid) before). Look at the payment "
        + "gateway; if it has captured, invoice the order in the shop without capture; then omsctl orders resume "
        + ledger.incrementID)
  }

  // MARK: Words

  private func say(
    _ comment: FulfilmentLedger.Comment?, _ status: String?, _ ledger: FulfilmentLedger
  ) async throws -> Progress {
    let (store, id) = (store, ledger.incrementID)
    if let comment {
      // Said before, and not noted.
      if try await !link.comments(ledger.entityID).contains(comment.text) {
        try await post(comment.text, status, ledger)
      }
      try await write(id) { try store.removeComment($0, of: id, comment.id) }
      return .goOn
    }
    guard let status else { return .goOn }
    try await post("OMS: \(ledger.status.text)", status, ledger)
    // A shop that takes a status and shows another one would be told for ever.
    if try await link.read(ledger.entityID).status != status { _ = RefusedStatuses.shared.insert(status) }
    return .goOn
  }

  /// A status that is not made, or not assigned to the order's state, is refused by newer versions: it degrades to a comment
  /// (magento-rules.md §3).
  private func post(_ text: String, _ status: String?, _ ledger: FulfilmentLedger) async throws {
    do {
      try await link.comment(ledger.entityID, text, status: status)
    } catch let error as CommerceError {
      guard let status, error.kind == .refused else { throw error }
      // Ours are for orders that are new or processing. One that somebody has cancelled can't have them, and says nothing of others.
      let isOpen = ["new", "processing"].contains(try await link.read(ledger.entityID).state)
      if isOpen, RefusedStatuses.shared.insert(status) {
        Log.warning(
          "the shop refuses an order status; make it there and assign it to new and processing",
          ["status": "\(status)", "reason": LogValue(error)])
      }
      try await link.comment(ledger.entityID, text, status: nil)
    }
  }

  // MARK: Looking

  /// Notes what was made in the shop, tells of what people made though the OMS owns the order, and which units are open no more.
  private func look(at shop: OrderInShop, _ ledger: FulfilmentLedger) async throws {
    let (store, id) = (store, ledger.incrementID)
    let all =
      shop.invoices.map { ("invoice", $0) } + shop.shipments.map { ("shipment", $0) }
      + shop.creditMemos.map { ("creditmemo", $0) }
    let seen = try await store.database.read { connection in
      (try store.documents(connection, of: id), try store.lines(connection, of: id), try store.order(connection, id))
    }
    let known = Set(seen.0.map { "\($0.kind) \($0.entityID)" })
    let news = all.filter { !known.contains("\($0.0) \($0.1.entityID)") }
    let closed = OpenLines.closed(seen.1, in: shop)
    if news.isEmpty, closed.isEmpty { return }
    let sentAt = seen.2?.sentAt ?? 0
    let documents = news.map { kind, document in
      // The shop's times have whole seconds: what was paid at checkout may have been so in the second of the export.
      let (made, sent) = (document.createdAt / 1_000_000_000, sentAt / 1_000_000_000)
      let isEarlier = made < sent || (made == sent && kind == "invoice" && ledger.payment.model == .offlineCaptured)
      let marker = document.comments.first { $0.hasPrefix(ShopPlan.Marker.prefix) }
      return NotedDocument(
        kind: kind, entityID: document.entityID, purpose: marker ?? (isEarlier ? NotedDocument.acknowledged : ""))
    }
    let moved = Set(seen.1.filter { closed.contains($0.number) && $0.kind == .physical }.map(\.sku))
    try await write(id) { connection in
      let now = WallClock.nanoseconds()
      for document in documents { try store.note(connection, of: id, document, now: now) }
      try store.closeLines(connection, of: id, closed, now: now)
      if !moved.isEmpty { try StockPush.queue.add(connection, id) }
    }
    for warning in documents.compactMap(\.warning) {
      Log.warning("the shop changed an order by itself", ["order": "\(id)", "what": "\(warning)"])
    }
    if !moved.isEmpty { stockMoved() }
  }

  // MARK: -

  private func stuck(_ id: String, _ reason: String) async throws -> Progress {
    try await attend(id, reason)
    return .end(.parked(reason: reason))
  }

  /// What an operator has to look at: why nothing goes on, and what people made in the shop.
  private func attend(_ id: String, _ reason: String?) async throws {
    let store = store
    try await write(id) { connection in
      let warnings = try store.documents(connection, of: id).compactMap(\.warning)
      let text = ([reason] + warnings.map(Optional.some)).compactMap { $0 }.joined(separator: "; ")
      guard let order = try store.order(connection, id), order.attention != text else { return }
      try store.setAttention(connection, of: id, text)
    }
  }

  private func end(_ id: String) async throws {
    let store = store
    try await write(id) { try store.endStep($0, of: id) }
  }

  private func write<Value: Sendable>(
    _ id: String, _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    try await store.database.write(key: id, body)
  }
}
