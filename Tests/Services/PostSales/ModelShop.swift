import EventLoop
import ServiceKit
import Storage
import TestSupport

@testable import Commerce
@testable import PostSales

/// The model behind the interface that refunds need of a shop, with faults on demand.
final class ModelShop: RefundShop {
  enum Fault {
    /// The memo is made, and nobody hears of it.
    case lostAnswer
    /// The call is lost, nothing is made.
    case lostCall
    case unreachable
    /// It refuses, as when its database was locked.
    case couldNotSave
    /// The memo comes to something else than was asked for.
    case wrongAmount
  }

  private struct State {
    var order: ModelOrder
    var faults: [Fault] = []
    var mails = 0
  }

  private let state: Lock<State>

  init(_ order: ModelOrder) { state = Lock(State(order: order)) }

  var order: ModelOrder { state.withLock { $0.order } }
  var mails: Int { state.withLock { $0.mails } }
  func fail(_ faults: Fault...) { state.withLock { $0.faults += faults } }
  func change(_ body: (inout ModelOrder) throws -> Void) rethrows { try state.withLock { try body(&$0.order) } }

  func books(ofOrder entityID: Int64) async throws -> ShopBooks { order.books }

  func make(_ memo: MemoRequest, ofOrder entityID: Int64, mark: String, notify: Bool) async throws -> Int64 {
    let request = "POST refund"
    return try state.withLock { state in
      let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
      switch fault {
      case .lostCall: throw CommerceError(.noAnswer, request: request, "lost")
      case .unreachable: throw CommerceError(.unreachable, request: request, "nobody listens")
      case .couldNotSave:
        throw CommerceError(.refused, status: 400, request: request, "Could not save a credit memo")
      default: break
      }
      var asked = memo
      if case .wrongAmount = fault { asked.positive += 1 }
      do {
        let id = try state.order.refund(asked, mark: mark)
        if notify { state.mails += 1 }
        if case .lostAnswer = fault { throw CommerceError(.noAnswer, request: request, "lost") }
        return id
      } catch let refusal as ModelOrder.Refusal {
        throw CommerceError(.refused, status: 400, request: request, refusal.message)
      }
    }
  }
}

/// Orders that sales has exported.
final class ModelBook: OrderBook {
  private let orders: Lock<[String: KnownOrder]>
  init(_ orders: KnownOrder...) {
    self.orders = Lock(Dictionary(uniqueKeysWithValues: orders.map { ($0.incrementID, $0) }))
  }
  func add(_ order: KnownOrder) { orders.withLock { $0[order.incrementID] = order } }
  func order(_ incrementID: String) async throws -> KnownOrder? { orders.withLock { $0[incrementID] } }
  func resume(_ incrementID: String) async throws {}
}

/// Refunds of one order against the model, over a store.
final class RefundWorld: Sendable {
  let files: TestStore
  let database: Database
  let shop: ModelShop
  let book: ModelBook
  private let clock = ModelClock()
  let store = RefundStore()
  let credit: ModelCredit?

  init(
    _ engine: TestEngine = .sqlite, _ order: ModelOrder, _ known: KnownOrder, credit: ModelCredit? = nil
  ) throws {
    files = try TestStore(engine)
    database = try files.open(PostSalesSchema.migrations)
    shop = ModelShop(order)
    book = ModelBook(known)
    self.credit = credit
  }

  func close() async { await database.close() }

  private func work(giveUpAfter: Duration) -> RefundWork {
    var mapping = Mapping()
    mapping.payments["gateway"] = .init(model: .offline)
    var work = RefundWork(
      database: database, shop: shop, orders: book, credit: credit, mapping: mapping, options: PostSalesOptions())
    let clock = clock
    work.now = { clock.now }
    work.giveUpAfter = giveUpAfter
    return work
  }

  /// The OMS tells of it.
  func tell(_ notice: RefundNotice) async throws {
    let (store, now) = (store, clock.now)
    try await database.write { connection in
      var record = try store.refund(notice.creditNote, connection) ?? RefundRecord(notice, now: now)
      record.take(notice, now: now)
      try store.save(record, connection)
      if record.state == .due { try RefundWork.queue.add(connection, record.incrementID) }
    }
  }

  /// An operator has looked at it.
  func resume(_ creditNote: String) async throws {
    let (store, now) = (store, clock.now)
    try await database.write { connection in
      guard var record = try store.refund(creditNote, connection) else { return }
      record.resume(now: now)
      try store.save(record, connection)
    }
  }

  /// One attempt at the order; nil when nothing is due now.
  @discardableResult
  func attempt(
    _ incrementID: String = "100000007", giveUpAfter: Duration = .seconds(60)
  ) async throws -> WorkOutcome? {
    try await database.write { try RefundWork.queue.add($0, incrementID) }
    let items = try await database.write { try RefundWork.queue.claim($0, limit: 1, holder: "test", for: .seconds(1)) }
    guard let item = items.first else { return nil }
    do {
      let outcome = try await work(giveUpAfter: giveUpAfter)(item)
      try await database.write { try RefundWork.queue.finish($0, item) }
      return outcome
    } catch {
      try await database.write { try RefundWork.queue.finish($0, item) }
      throw error
    }
  }

  func pass(_ duration: Duration) { clock.pass(duration) }

  func refund(_ creditNote: String) async throws -> RefundRecord? {
    let store = store
    return try await database.read { try store.refund(creditNote, $0) }
  }

  func waiting(_ queue: WorkQueue, _ key: String) async throws -> Bool {
    try await database.read { try queue.waiting($0, key) != nil }
  }
}

/// A clock that goes on when it is told to.
final class ModelClock: Sendable {
  private let time = Lock<Int64>(1_000_000_000_000_000_000)
  /// Nanoseconds since 1970.
  var now: Int64 { time.withLock { $0 } }
  func pass(_ duration: Duration) { time.withLock { $0 += Int64(clamping: duration.nanoseconds) } }
}

/// A companion that credits a reference once.
final class ModelCredit: StoreCredit {
  private let credited = Lock<[String: Decimal]>([:])
  var all: [String: Decimal] { credited.withLock { $0 } }
  func credit(_ amount: Decimal, to order: ShopOrder, reference: String) async throws {
    credited.withLock { $0[reference] = amount }
  }
}

/// An order of two mugs at 10 and a cap at 7, sent for 5, and its lines.
enum Mugs {
  static func order(method: String = "checkmo", invoices: [[Int64: Decimal]] = [[1: 2, 2: 1]]) -> ModelOrder {
    var order = ModelOrder(currencies: Currencies(order: "EUR", base: "EUR", rate: 1))
    order.method = method
    func parts(_ row: Decimal) -> ModelOrder.Parts { [Sides(order: row, base: row), .zero, .zero, .zero, .zero] }
    order.items = [
      .init(id: 1, sku: "MUG", quantity: 2, parts: parts(20)), .init(id: 2, sku: "CAP", quantity: 1, parts: parts(7)),
    ]
    order.shipping = [Sides(order: 5, base: 5), .zero, .zero, .zero]
    for invoice in invoices { order.invoice(invoice, isCaptured: method == "gateway") }
    return order
  }

  static let known = KnownOrder(
    incrementID: "100000007", entityID: 7, currency: "EUR", salesChannel: "EU",
    lines: [
      .init(number: 1, itemID: 1, sku: "MUG", kind: "PHYSICAL", quantity: 1, gross: 10),
      .init(number: 2, itemID: 1, sku: "MUG", kind: "PHYSICAL", quantity: 1, gross: 10),
      .init(number: 3, itemID: 2, sku: "CAP", kind: "PHYSICAL", quantity: 1, gross: 7),
      .init(number: 4, itemID: 0, sku: "STANDARD", kind: "SHIPPING", quantity: 1, gross: 5),
    ])

  /// - Parameter amounts: by line.
  static func refund(
    _ amounts: [Int: Decimal], type: RefundType = .returned, code: String = "RELEASED", at time: Int64 = 0
  ) -> RefundNotice { refund("CDE1", amounts, type: type, code: code, at: time) }

  static func refund(
    _ creditNote: String, _ amounts: [Int: Decimal], type: RefundType = .returned, code: String = "RELEASED",
    at time: Int64 = 0
  ) -> RefundNotice {
    RefundNotice(
      creditNote: creditNote, incrementID: "100000007", type: type, rma: "", statusCode: code,
      statusReason: "REQUESTED",
      statusAt: time,
      lines: amounts.sorted { $0.key < $1.key }.map { .init(number: $0.key, amount: $0.value, reason: "") })
  }
}
