import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What the service can do now, from what is configured and running.
struct PostSalesCapabilities: Omsconnector.Internal.V1.CapabilityService {
  typealias Capability = Omsconnector.V1.Capability
  typealias Finding = Omsconnector.V1.Finding

  let database: Database
  /// nil without a shop, as the next three.
  let client: CommerceClient?
  let returns: (any ReturnShop)?
  let poll: ShopPoll?
  let returnPoll: ShopPoll?
  let options: PostSalesOptions

  func listCapabilities(
    _ request: Omsconnector.Internal.V1.ListCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListCapabilitiesResponse {
    let counts: Counts
    do {
      counts = try await database.read { try Counts($0) }
    } catch {
      throw RPCError(postSales: error)
    }
    let credit =
      options.storeCreditRoute.map { "credited by \($0)" }
      ?? "credited by an operator, whom a stuck refund tells the amount"
    return .init(
      features: [
        capability("refunds-and-returns", "Refunds and returns", counts.text, counts),
        capability("store-credit", "Store credit", "what paid an order besides money is \(credit)", counts),
        capability(
          "gift-cards", "Gift cards", "their part comes back once all the money has: it is \(credit)", counts),
        capability(
          "custom-order-attributes", "Custom order attributes", "those of returns and refunds go both ways", counts),
      ],
      functions: [
        capability(
          "returns-and-refunds", "Returns and refunds",
          "made by the OMS alone; returns that are asked for in the shop go to it, and credit memos that are made there are "
            + "found and told", counts)
      ])
  }

  /// How many there are.
  struct Counts: Sendable {
    let due: Int
    let done: Int
    let stuck: Int
    let returnsOfConcern: Int
    /// Returns of the shop that the OMS was not asked for: those that go on being tried, and those that don't.
    let returnsWaiting: Int
    let returnsParked: Int

    init(_ connection: Connection) throws {
      due = try RefundStore().count(.due, connection)
      done = try RefundStore().count(.done, connection)
      stuck = try RefundStore().count(.stuck, connection)
      returnsOfConcern = try ReturnStore().countOfAttention(connection)
      (returnsWaiting, returnsParked) = try AuthorizeReturn.queue.count(connection)
    }

    var text: String {
      "\(done) refunds made, \(due) due, \(stuck) stuck, \(returnsOfConcern) returns that need an operator"
    }
  }

  private func capability(_ name: String, _ title: String, _ detail: String, _ counts: Counts) -> Capability {
    guard let poll else {
      return .init(
        name: name, title: title, state: .notConfigured, detail: "no shop is configured: refunds and returns wait",
        remedy: "set COMMERCE_URL and COMMERCE_TOKEN of the post-sales service")
    }
    if let failure = poll.status.failure {
      return .init(
        name: name, title: title, state: .degraded, detail: "\(detail); the shop can't be read now: \(failure)",
        remedy: "see omsctl doctor")
    }
    let remedy = counts.stuck > 0 ? "see omsctl refunds list --stuck" : ""
    return .init(name: name, title: title, state: .active, detail: detail, remedy: remedy)
  }
}
