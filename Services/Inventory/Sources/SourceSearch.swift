import EventLoop
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Asks the OMS for all of its sources, at the first start and once a day (messages.md §2, 4): what a message told and was lost, or
/// came in another order, is put right. Of all replicas one asks, and the lease keeps the day for it.
struct SourceSearch: Sendable {
  static let method = "magento.inventory.source_repository.search"
  static let interval = Duration.seconds(86_400)
  static let firstPause = Duration.seconds(30)
  static let longestPause = Duration.seconds(3600)
  static let timeout = Duration.seconds(60)
  /// How long a replica that has died while it asked keeps the others from it.
  static let hold = Duration.seconds(60)

  let store: SourceStore
  let gateway: Channel
  let loop: EventLoop
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)

  init(store: SourceStore, gateway: Channel, loop: EventLoop) {
    self.store = store
    self.gateway = gateway
    self.loop = loop
  }

  func run(in setup: inout ServiceSetup) {
    setup.run("sources") {
      var pause = Self.firstPause
      // The gateway registers first, and starts at the same time.
      await loop.sleep(for: .seconds(2))
      while !Task.isCancelled {
        do {
          // Who has asked wakes before its lease is over. Another one looks sooner, since that one may have died.
          let wait = try await round() ? Self.interval : Self.longestPause
          pause = Self.firstPause
          await loop.sleep(for: wait * Double.random(in: 0.9...1.0))
        } catch  where Task.isCancelled {
          return
        } catch {
          Log.info("the OMS's sources can't be read now; it is tried again", ["reason": LogValue(error)])
          await loop.sleep(for: pause * Double.random(in: 0.8...1.2))
          pause = min(pause * 2, Self.longestPause)
        }
      }
    }
  }

  /// - Returns: false when another replica asks, or has asked not long ago.
  func round() async throws -> Bool {
    let done: Void? = try await Lease.held(
      "sources", by: holder, for: Self.hold, in: store.database, on: loop, restingFor: Self.interval
    ) { _ in try await search() }
    return done != nil
  }

  /// - Throws: also when what was read does not fit together. What it named is taken over all the same.
  func search() async throws {
    let askedAt = WallClock.nanoseconds()
    var pages = SourcePages()
    var isLast = false
    while !isLast {
      guard let page = try await page(from: pages.offset) else {
        // Of an OMS that knows no sources nothing is learnt, and none is taken for deleted.
        if pages.offset == 0 { return }
        throw InconsistentSources(doubt: "there is no page behind the first \(pages.offset)")
      }
      isLast = !pages.add(page)
    }
    try await store.replace(
      with: pages.sources, isComplete: pages.doubt == nil, askedAt: askedAt, at: WallClock.nanoseconds())
    if let doubt = pages.doubt { throw InconsistentSources(doubt: doubt) }
    Log.info("the OMS's sources are read", ["sources": LogValue(pages.sources.count)])
  }

  /// - Returns: nil of an OMS without sources, which answers a list, or nothing.
  private func page(from offset: Int) async throws -> Magento.Oms.V1.SourceCollection? {
    let query = Magento.Oms.V1.SourceSearch(query: .init(offset: Int32(offset), size: Int32(SourcePages.pageSize)))
    let reply = try await gateway.unary(
      Omsconnector.Internal.V1.DeliveryServiceMethods.call,
      .init(method: Self.method, body: Array(query.json(writesDefaults: true).utf8)),
      options: CallOptions(timeout: Self.timeout))
    let document = try JSONDocument(parsing: reply.result).root
    return document.kind == .object ? try Magento.Oms.V1.SourceCollection(json: document) : nil
  }
}

/// The pages of a search don't fit together: none of the sources that they don't name is taken for deleted.
struct InconsistentSources: Error, CustomStringConvertible {
  let doubt: String
  var description: String { "the OMS's sources changed while they were read, or it counts them wrongly: \(doubt)" }
}
