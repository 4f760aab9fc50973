import EventLoop
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Asks the OMS for all of its sources, at the start and once a day (messages.md §2, 4): what a message told and was lost, or came in
/// another order, is put right.
struct SourceSearch: Sendable {
  static let method = "magento.inventory.source_repository.search"
  static let interval = Duration.seconds(86_400)
  static let firstPause = Duration.seconds(30)
  static let longestPause = Duration.seconds(3600)
  static let pageSize = 100
  /// Sources at most: what answers more is no list of warehouses.
  static let sourceLimit = 20_000
  static let timeout = Duration.seconds(60)

  let store: SourceStore
  let gateway: Channel

  func run(in setup: inout ServiceSetup) {
    let loop = setup.group.next()
    let holder = String(UInt64.random(in: .min ... .max), radix: 36)
    setup.run("sources") {
      var pause = Self.firstPause
      // The gateway registers first, and starts at the same time.
      await loop.sleep(for: .seconds(2))
      while !Task.isCancelled {
        do {
          if try await lease(holder) { try await search() }
          pause = Self.firstPause
          await loop.sleep(for: Self.interval * Double.random(in: 0.9...1.0))
        } catch {
          Log.info("the OMS's sources can't be read now; it is tried again", ["reason": LogValue(error)])
          try? await store.database.write {
            try Lease.acquire($0, key: "sources", holder: holder, for: .zero)?.release($0)
          }
          await loop.sleep(for: pause * Double.random(in: 0.8...1.2))
          pause = min(pause * 2, Self.longestPause)
        }
      }
    }
  }

  /// Of all replicas, one asks.
  private func lease(_ holder: String) async throws -> Bool {
    try await store.database.write {
      try Lease.acquire($0, key: "sources", holder: holder, for: .seconds(600)) != nil
    }
  }

  func search() async throws {
    let askedAt = WallClock.nanoseconds()
    var found: [Magento.Oms.V1.Source] = []
    while found.count < Self.sourceLimit {
      let query = Magento.Oms.V1.SourceSearch(query: .init(offset: Int32(found.count), size: Int32(Self.pageSize)))
      let reply = try await gateway.unary(
        Omsconnector.Internal.V1.DeliveryServiceMethods.call,
        .init(method: Self.method, body: Array(query.json(writesDefaults: true).utf8)),
        options: CallOptions(timeout: Self.timeout))
      let document = try JSONDocument(parsing: reply.result).root
      // An OMS without sources answers a list, or nothing.
      guard document.kind == .object else { break }
      let page = try Magento.Oms.V1.SourceCollection(json: document)
      found += page.items.filter { !$0.id.isEmpty }
      if page.items.isEmpty || found.count >= Int(page.total) { break }
    }
    try await store.replace(with: found, askedAt: askedAt, at: WallClock.nanoseconds())
    Log.info("the OMS's sources are read", ["sources": LogValue(found.count)])
  }
}
