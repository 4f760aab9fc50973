import Messages
import RPC
import Stubs

/// What has become of the messages about products behind the catalog's outbox.
protocol DeliveryJournal: Sendable {
  func delivery(of sku: String) async throws -> ProductDelivery
  /// SKUs of all messages that wait: what else the journal ever had is through. nil when these can't be told, as more wait than are
  /// named, or messages were given up.
  func waiting() async throws -> Set<String>?
}

enum ProductDelivery: Sendable {
  /// The OMS has taken at least one message about it.
  case delivered
  /// There are messages about it, and the OMS has taken none: they wait, were given up or discarded.
  case undelivered
  /// There is no message about it: none has come yet, or it was so long ago that the journal has forgotten it.
  case unknown
}

/// The gateway's own.
struct GatewayDeliveries: DeliveryJournal {
  static let timeout = Duration.seconds(2)
  /// SKUs that are named at most.
  static let named: Int32 = 1_000
  /// Messages that are looked at, the newest ones: behind so many that all wait, nobody asks for one that went through.
  static let looked: Int32 = 100

  let channel: Channel

  func delivery(of sku: String) async throws -> ProductDelivery {
    let page = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages,
      .init(
        filter: .init(direction: .outgoing, method: CatalogEntry.method, key: sku), pageSize: Self.looked),
      options: CallOptions(timeout: Self.timeout))
    if page.messages.contains(where: { $0.status == .success }) { return .delivered }
    // A page may be empty though more is to be searched.
    return page.messages.isEmpty && page.nextPageToken.isEmpty ? .unknown : .undelivered
  }

  func waiting() async throws -> Set<String>? {
    let answer = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.getQueues, .init(destination: Self.destination, keys: Self.named),
      options: CallOptions(timeout: Self.timeout))
    guard let queue = answer.queues.first, answer.givenUp == 0, queue.keyCount == queue.keys.count,
      queue.keys.reduce(0, { $0 + $1.depth }) == queue.depth
    else { return nil }
    return Set(queue.keys.map(\.key))
  }

  /// As the gateway calls the way that products go.
  private static let destination = "events"
}
