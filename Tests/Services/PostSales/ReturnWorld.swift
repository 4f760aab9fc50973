import EventLoop
import Messages
import RPC
import ServiceKit
import Storage
import Stubs
import TestSupport

@testable import Commerce
@testable import PostSales

/// Returns of one order, of 150 screws, 2.5 m of cloth and two mugs, with the service's ports behind a real server.
final class ReturnWorld: Sendable {
  static let order = KnownOrder(
    incrementID: "100000007", entityID: 7, currency: "EUR", salesChannel: "EU",
    lines: [
      .init(number: 1, itemID: 1, sku: "SCREW", kind: "PHYSICAL", quantity: 150, gross: 15, isShipped: true),
      .init(number: 2, itemID: 2, sku: "CLOTH", kind: "PHYSICAL", quantity: Decimal("2.5") ?? 0, gross: 25),
      .init(number: 3, itemID: 3, sku: "MUG", kind: "PHYSICAL", quantity: 1, gross: 10),
      .init(number: 4, itemID: 3, sku: "MUG", kind: "PHYSICAL", quantity: 1, gross: 10),
    ])

  private let files: TestStore
  let database: Database
  let shop: ModelReturns
  let book: ModelBook
  let authorize: AuthorizeReturn
  private let group: EventLoopGroup
  private let server: Server
  let channel: Channel

  init(_ engine: TestEngine = .sqlite, _ shop: ModelReturns = ModelReturns()) throws {
    files = try TestStore(engine)
    database = try files.open(PostSalesSchema.migrations)
    self.shop = shop
    let book = ModelBook(Self.order)
    self.book = book
    let outbox = Outbox(service: "post-sales")
    authorize = AuthorizeReturn(
      database: database, outbox: outbox, shop: shop, orders: book, mapping: Mapping()
    ) {}
    group = try EventLoopGroup(loops: 1)
    var router = Router()
    PostSalesService(
      database: database, authorize: authorize,
      setAttributes: SetAttributes(database: database, outbox: outbox, orders: book) {}, returnDue: {}
    ) {}.register(in: &router)
    MessageConsumer(
      service: "post-sales", methods: ReturnMessageConsumer(database: database) {}.methods, timings: Timings(),
      status: { RPCError(postSales: $0) }
    ).register(in: &router)
    server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(files.directory)/socket"))
    channel = Channel(target: Target(address), group: group)
  }

  func close() async {
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    await database.close()
    group.stop()
  }

  /// The OMS tells of a return, and the shop's side of it is worked on once.
  @discardableResult
  func tell(_ notice: ReturnNotice, giveUpAfter: Duration = .seconds(60)) async throws -> WorkOutcome {
    let store = ReturnStore()
    let key = try await database.write { connection in
      var record = try store.match(notice, connection) ?? ReturnRecord(blind: notice, now: 1)
      record.take(notice)
      try store.save(record, connection)
      try ReturnWork.queue.add(connection, record.key)
      return record.key
    }
    return try await work(on: key, giveUpAfter: giveUpAfter)
  }

  /// Works on what is due, until it is done or waits for longer.
  @discardableResult
  func work(
    on key: String, giveUpAfter: Duration = .seconds(60), later: Duration = .zero
  ) async throws -> WorkOutcome {
    var work = ReturnWork(
      database: database, shop: shop, orders: ModelBook(Self.order), options: PostSalesOptions())
    work.giveUpAfter = giveUpAfter
    work.now = { WallClock.nanoseconds() + Int64(clamping: later.nanoseconds) }
    for _ in 0..<3 {
      let items = try await database.write {
        try ReturnWork.queue.claim($0, limit: 1, holder: "test", for: .seconds(60))
      }
      guard let item = items.first else { break }
      let outcome = try await work(item)
      if case .unsettled(_, let reason) = outcome {
        try await database.write { try ReturnWork.queue.retry($0, item, after: .zero, reason: reason, now: 1) }
        return outcome
      }
      guard case .again = outcome else {
        try await database.write { try ReturnWork.queue.finish($0, item) }
        return outcome
      }
      try await database.write { try ReturnWork.queue.retry($0, item, after: .zero, reason: "", now: 1) }
    }
    return .done
  }

  func record(_ rma: String) async throws -> ReturnRecord? {
    try await database.read { try ReturnStore().find(rma: rma, $0) }
  }
}

extension ReturnWorld {
  /// A return that somebody has asked for in the shop.
  static func asked(_ id: Int64, item: Int64, _ quantity: String, comments: [String] = []) -> ShopReturn {
    ShopReturn(
      rma: .init(
        entityId: id, incrementId: "00\(id)", orderId: 7, orderIncrementId: "100000007", status: "pending",
        items: [.init(entityId: 1, orderItemId: item, qtyRequested: .init(value: quantity), status: "pending")],
        comments: comments.map { .init(comment: $0) }))
  }

  /// The OMS approves a return of these lines, with the quantity that it says.
  static func notice(_ lines: [(Int, String?)], rma: String = "RMA-1") -> ReturnNotice {
    ReturnNotice(
      rma: rma, incrementID: "100000007", statusCode: "APPROVED", statusReason: "", statusAt: 0,
      lines: lines.map {
        .init(
          number: $0, itemID: 0, sku: "", reason: "", condition: "", status: "", quantity: $1.flatMap { Decimal($0) })
      })
  }
}
