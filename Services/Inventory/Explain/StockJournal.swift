import Messages
import RPC
import Stubs

/// What has come from the OMS about an aggregate, from the gateway's journal.
protocol StockJournal: Sendable {
  /// The newest first; without bodies.
  ///
  /// - Parameter before: nanoseconds since 1970; messages received before.
  func messages(
    of aggregateId: String, before: Int64, limit: Int, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String)

  /// With its body.
  func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage

  /// Whether messages of the aggregate wait for being consumed.
  func hasWaiting(of aggregateId: String) async throws -> Bool

  /// Messages of the aggregate that failed and that nobody has replayed or discarded, the newest first; without bodies.
  ///
  /// - Parameter since: nanoseconds since 1970; messages received since.
  func failed(
    of aggregateId: String, since: Int64, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String)
}

/// The gateway's own.
struct GatewayJournal: StockJournal {
  static let timeout = Duration.seconds(10)
  /// Bytes, the most that the journal shows: a part of a snapshot has thousands of rows.
  static let bodyLimit: Int32 = 3 << 20

  let channel: Channel

  func messages(
    of aggregateId: String, before: Int64, limit: Int, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
    var filter = Self.filter(aggregateId)
    filter.until = .init(nanosecondsSinceEpoch: before)
    let page = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages,
      .init(filter: filter, pageSize: Int32(limit), pageToken: token), options: CallOptions(timeout: Self.timeout))
    return (page.messages, page.nextPageToken)
  }

  func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage {
    let response = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.getMessage, .init(id: id, bodyLimit: Self.bodyLimit),
      options: CallOptions(timeout: Self.timeout))
    guard let message = response.message else {
      throw RPCError(.internalError, "the journal answers nothing for message \(id)")
    }
    return message
  }

  func hasWaiting(of aggregateId: String) async throws -> Bool {
    var filter = Self.filter(aggregateId)
    filter.statuses = [.pending]
    let page = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages, .init(filter: filter, pageSize: 1),
      options: CallOptions(timeout: Self.timeout))
    // A page may be empty though more is to be searched.
    return !page.messages.isEmpty || !page.nextPageToken.isEmpty
  }

  func failed(
    of aggregateId: String, since: Int64, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
    var filter = Self.filter(aggregateId)
    filter.statuses = [.error, .dead]
    filter.since = .init(nanosecondsSinceEpoch: max(0, since))
    let page = try await channel.unary(
      Omsconnector.V1.JournalServiceMethods.listMessages, .init(filter: filter, pageSize: 100, pageToken: token),
      options: CallOptions(timeout: Self.timeout))
    return (page.messages, page.nextPageToken)
  }

  private static func filter(_ aggregateId: String) -> Omsconnector.V1.MessageFilter {
    .init(direction: .incoming, method: StockMessageConsumer.aggregateStockUpdated, key: aggregateId)
  }
}
