import Commerce
import Storage
import TestSupport
import Testing

@testable import Sales

@Suite("The shop follows the OMS")
struct FulfilmentStoryTests {
  private static let start: Int64 = 1_706_933_106_000_000_000
  private static let minute: Int64 = 60_000_000_000

  /// Applies messages one after another, each followed by everything that the shop can do then; and at the end an hour later.
  private func play(
    _ story: FulfilmentStory, _ messages: [any LedgerChange], crashing: Bool = false, seed: UInt64
  ) async throws -> (ModelShop, problem: String?) {
    var shop = story.shop
    var problem: String?
    if story.payment.model == .offlineCaptured, seed % 2 == 0 { try shop.invoiceEverything() }
    let sales = try TemporarySales()
    let store = sales.store
    var mapping = Mapping()
    mapping.payments["card"] = story.payment
    var order = order("7")
    order.paymentMethod = "card"
    order.createdAt = Self.start
    try await sales.add(order, story.lines)
    var now = Self.start
    let payments = mapping
    for message in messages + [nil] {
      problem = nil
      now += message == nil ? 60 * Self.minute : Self.minute
      let time = now
      if let message {
        _ = try await store.database.write { try message.apply(to: store, $0, now: time) }
      }
      for step in 0...200 {
        try #require(step < 200, "the plan comes to no end")
        let ledger = try #require(try await store.database.read { try store.ledger($0, "7", payments) })
        let next = ShopPlan(ledger: ledger, shop: shop.order, now: time).next
        switch next {
        case .invoice(let step): try shop.invoice(step.quantities, marker: step.marker, capture: step.capture)
        case .ship(let step): try shop.ship(step.quantities, marker: step.marker)
        case .cancel: try shop.cancel()
        case .finish(let key, _, _):
          try await store.database.write { try store.finishParcel($0, of: "7", key, now: time) }
          continue
        case .comment(let comment, let status):
          if let status { shop.status = status }
          if let comment {
            shop.comments.append(comment.text)
            try await store.database.write { try store.removeComment($0, of: "7", comment.id) }
          }
          continue
        case .stuck(let reason): problem = reason
        case .wait, .done: break
        }
        if case .wait = next { break }
        if case .stuck = next { break }
        if case .done = next { break }
      }
    }
    await store.database.close()
    return (shop, problem)
  }

  private func check(_ played: (ModelShop, problem: String?), _ story: FulfilmentStory, _ seed: UInt64) {
    let (shop, problem) = played
    let isPaidAtCheckout = shop.invoices.first?.comments == ["at checkout"]
    let torn = story.bundles.filter(story.isTorn)
    let unaccounted = isPaidAtCheckout ? [] : story.bundles.filter(story.isUnaccounted)
    #expect((problem != nil) == !(torn + unaccounted).isEmpty, "seed \(seed): \(problem ?? "no problem")")
    for item in shop.items {
      let lines = story.lines.filter { $0.itemID == item.id && $0.kind != .bundle }
      let shipped = lines.filter { line in
        line.kind == .physical && !torn.contains { $0.number == line.parent }
      }.map(story.sent).sum()
      let dead = lines.filter { story.cancelled.contains($0.number) || story.unmentioned.contains($0.number) }
        .map { $0.quantity - story.sent($0) }.sum()
      if !lines.isEmpty {
        #expect(item.shipped == shipped, "seed \(seed): item \(item.id) shipped")
        if item.price > 0, !isPaidAtCheckout {
          // What is virtual is given out with the first parcel; what the OMS cancels of it after that it refunds.
          let live = lines.map(\.quantity).sum() - dead
          #expect(
            item.isVirtual ? item.invoiced >= live : item.invoiced == live, "seed \(seed): item \(item.id) invoiced")
          // Nothing is cancelled while it is open who pays for a bundle.
          if unaccounted.isEmpty {
            #expect(item.invoiced + item.cancelled == item.ordered, "seed \(seed): item \(item.id) cancelled")
          }
        }
      }
      if item.hasFixedPrice, !isPaidAtCheckout {
        let units = story.bundles.filter { bundle in
          bundle.itemID == item.id && story.parts(of: bundle).contains(where: story.hasLeft)
            && !unaccounted.contains(bundle)
        }
        #expect(item.invoiced == Decimal(units.count), "seed \(seed): bundle \(item.id) invoiced")
      }
    }
    let goods = story.parcels.filter { numbers in
      numbers.contains { story.lines[$0 - 1].kind == .physical }
    }
    // Parcels with parts of a bundle only, that the shop ships as a whole with the last, have none.
    let isWhole = story.bundles.allSatisfy { bundle in
      let parcels = story.parcels.filter { $0.contains { story.lines[$0 - 1].parent == bundle.number } }
      return !bundle.shipsTogether || (parcels.count <= 1 && !story.isTorn(bundle))
    }
    if isWhole { #expect(shop.shipments.count == goods.count, "seed \(seed): one shipment per parcel") }
    if story.payment.model == .offline, !story.payment.capturesInParts {
      #expect(shop.captures.count <= 1, "seed \(seed): one capture")
    }
    // What was paid and is never sent ends by a refund: what was paid at checkout, and parts of a bundle that has one price.
    let isRefunded = story.cancelled.union(story.unmentioned).contains { number in
      let bundle = shop[story.lines[max(story.lines[number - 1].parent, 1) - 1].itemID]
      return isPaidAtCheckout || (bundle.hasFixedPrice && bundle.invoiced > 0)
    }
    if !isRefunded, problem == nil {
      #expect(["complete", "canceled"].contains(shop.state), "seed \(seed): state \(shop.state)")
    }
    #expect(Set(shop.comments).count == shop.comments.count, "seed \(seed): nothing is said twice")
  }

  @Test(
    "as it was told, what was shipped is shipped and invoiced, the rest cancelled, nothing refused", arguments: 0..<150)
  func inOrder(seed: Int) async throws {
    let story = FulfilmentStory(seed: UInt64(seed))
    check(try await play(story, try story.messages(), seed: UInt64(seed)), story, UInt64(seed))
  }

  @Test("in any order, and each message any number of times, it ends the same", arguments: 0..<300)
  func shuffled(seed: Int) async throws {
    let story = FulfilmentStory(seed: UInt64(seed))
    var random = SeededGenerator(seed: UInt64(seed) + 1_000_000)
    let told = try story.messages()
    var messages = told
    for message in told where Bool.random(using: &random) { messages.append(message) }
    messages.shuffle(using: &random)
    check(try await play(story, messages, seed: UInt64(seed)), story, UInt64(seed))
  }
}
