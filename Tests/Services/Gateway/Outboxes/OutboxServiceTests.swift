import EventLoop
import Messages
import RPC
import Stubs
import TestSupport
import Testing

@testable import Gateway

/// An outbox of one service that answers what a test wants.
private struct ScriptedOutbox: Omsconnector.Internal.V1.OutboxService {
  let service: String
  let count: Int

  private var messages: [Omsconnector.V1.RefusedMessage] {
    (0..<count).map {
      .init(deliveryId: "\(service)-1-\($0)", method: "a.b", reason: "no: token=abcdefgh", state: .open)
    }
  }

  func getOutbox(
    _ request: Omsconnector.Internal.V1.GetOutboxRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.GetOutboxResponse {
    .init(outbox: .init(depth: 4, refused: Int64(count)))
  }

  func listRefused(
    _ request: Omsconnector.Internal.V1.ListRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListRefusedResponse {
    let first = messages.firstIndex { $0.deliveryId == request.afterDeliveryId }.map { $0 + 1 } ?? 0
    return .init(messages: Array(messages[first...].prefix(Int(request.limit))))
  }

  func getRefused(
    _ request: Omsconnector.Internal.V1.GetRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.GetRefusedResponse {
    guard let message = messages.first(where: { $0.deliveryId == request.deliveryId }) else {
      throw RPCError(.notFound, "there is none")
    }
    return .init(message: message, body: Array(#"{"password":"hunter2"}"#.utf8))
  }

  func retryRefused(
    _ request: Omsconnector.Internal.V1.RetryRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.RetryRefusedResponse {
    .init(retried: request.deliveryId.isEmpty ? Int64(count) : 1, deliveryId: "by \(request.retriedBy)")
  }

  func discardRefused(
    _ request: Omsconnector.Internal.V1.DiscardRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiscardRefusedResponse {
    .init(message: .init(deliveryId: request.deliveryId, state: .discarded, outcome: request.reason))
  }
}

@Suite("The outboxes of the services")
struct OutboxServiceTests {
  private typealias Calls = Omsconnector.V1.OutboxServiceMethods

  /// A gateway before inventory with five refused messages, sales with two, catalog without an outbox, and post-sales, which is
  /// away.
  private func withGateway(_ body: (Channel, ServiceOutboxes) async throws -> Void) async throws {
    let directory = try TestStore()
    let group = try EventLoopGroup(loops: 1)
    var servers: [Server] = []
    func serve(_ name: String, _ register: (inout Router) -> Void) throws -> Channel {
      var router = Router()
      register(&router)
      let server = Server(group: group, router: router)
      servers.append(server)
      let address = try server.listen(on: Address(parsing: "unix:\(directory.directory)/\(name)"))
      return Channel(target: Target(address), group: group)
    }
    let away = Channel(target: Target(try Address(parsing: "unix:\(directory.directory)/away")), group: group)
    let channels = [
      ("sales", try serve("s") { ScriptedOutbox(service: "sales", count: 2).register(in: &$0) }),
      ("catalog", try serve("c") { _ in }),
      ("inventory", try serve("i") { ScriptedOutbox(service: "inventory", count: 5).register(in: &$0) }),
      ("post-sales", away),
    ]
    let outboxes = ServiceOutboxes(channels)
    let gateway = try serve("g") { OutboxService(outboxes: outboxes).register(in: &$0) }
    let result: Result<Void, any Error>
    do { result = .success(try await body(gateway, outboxes)) } catch { result = .failure(error) }
    for channel in channels.map(\.1) + [gateway] { channel.shutdown() }
    for server in servers { _ = await server.shutdown(grace: .seconds(1)) }
    group.stop()
    try result.get()
  }

  private static func refusal(_ body: () async throws -> Void) async -> RPCError? {
    do {
      try await body()
      return nil
    } catch { return error as? RPCError }
  }

  @Test("all services are asked what waits: one without an outbox is left out, one that is away says so")
  func depths() async throws {
    try await withGateway { _, outboxes in
      let depths = await outboxes.depths()
      #expect(depths.map(\.service) == ["inventory", "post-sales", "sales"])
      #expect(depths.map(\.depth) == [4, 0, 4] && depths.map(\.refused) == [5, 0, 2])
      #expect(depths.map(\.error) == ["", "can't be reached", ""])
      let watch = OutboxWatch { depths }
      let watching = Task { await watch.run() }
      while await watch.last.isEmpty { await Task.yield() }
      #expect(await watch.last.map(\.service) == ["inventory", "sales"])
      watching.cancel()
      await watching.value
    }
  }

  @Test("refused messages of all services are listed page by page, each once, masked")
  func list() async throws {
    try await withGateway { gateway, _ in
      var (ids, missing, token, pages) = ([String](), Set<String>(), "", 0)
      repeat {
        let page = try await gateway.unary(Calls.listRefusedMessages, .init(pageSize: 2, pageToken: token))
        ids += page.messages.map(\.deliveryId)
        missing.formUnion(page.missingServices)
        #expect(page.messages.allSatisfy { $0.reason == "no: token=***" && $0.deliveryId.hasPrefix($0.service) })
        token = page.nextPageToken
        pages += 1
      } while !token.isEmpty && pages < 20
      #expect(ids == (0..<5).map { "inventory-1-\($0)" } + ["sales-1-0", "sales-1-1"])
      #expect(missing.count == 1 && missing.first?.hasPrefix("post-sales: ") == true)
      let one = try await gateway.unary(Calls.listRefusedMessages, .init(service: "sales"))
      #expect(one.messages.count == 2 && one.missingServices.isEmpty)
      for service in ["catalog", "post-sales", "nobody"] {
        #expect(
          await Self.refusal { _ = try await gateway.unary(Calls.listRefusedMessages, .init(service: service)) } != nil)
      }
      #expect(
        await Self.refusal { _ = try await gateway.unary(Calls.listRefusedMessages, .init(pageToken: "x")) }?
          .fieldViolations.first?.field == "page_token")
    }
  }

  @Test("one is shown masked, retried and discarded at the service that its id names")
  func handling() async throws {
    try await withGateway { gateway, _ in
      let shown = try await gateway.unary(Calls.getRefusedMessage, .init(deliveryId: "sales-1-1")).message
      #expect(shown?.body == #"{"password":"***"}"# && shown?.service == "sales")
      let one = try await gateway.unary(Calls.retryRefusedMessages, .init(deliveryId: "sales-1-1", retriedBy: "anna"))
      #expect(one.retried == 1 && one.deliveryId.hasSuffix("(as anna)"))
      #expect(try await gateway.unary(Calls.retryRefusedMessages, .init(service: "inventory")).retried == 5)
      let given = try await gateway.unary(
        Calls.discardRefusedMessage, .init(deliveryId: "inventory-1-1", reason: "old")
      ).message
      #expect(given?.state == .discarded && given?.outcome == "old" && given?.service == "inventory")
    }
  }

  @Test(
    "what cannot be meant is refused, saying why",
    arguments: [
      ("", "", "", "delivery_id"), ("sales-1-1", "sales", "", "delivery_id"),
      ("", "sales", String(repeating: "x", count: 101), "retried_by"), ("", "nobody", "", "service"),
    ])
  func refusals(id: String, service: String, by: String, field: String) async throws {
    try await withGateway { gateway, _ in
      let request = Omsconnector.V1.RetryRefusedMessagesRequest(deliveryId: id, service: service, retriedBy: by)
      let error = await #expect(throws: RPCError.self) {
        _ = try await gateway.unary(Calls.retryRefusedMessages, request)
      }
      #expect(error?.code == .invalidArgument && error?.fieldViolations.first?.field == field)
      let unreasoned = await #expect(throws: RPCError.self) {
        _ = try await gateway.unary(Calls.discardRefusedMessage, .init(deliveryId: "sales-1-1"))
      }
      #expect(unreasoned?.fieldViolations.first?.field == "reason")
    }
  }

  @Test(
    "a message that is nowhere is not found, or says who is away",
    arguments: [
      ("nobody-1-1", StatusCode.notFound, "their ids begin with catalog-, inventory-, post-sales-, sales-"),
      ("catalog-1-1", .notFound, "catalog has no outbox"), ("sales-1-9", .notFound, "there is none"),
      ("post-sales-1-1", .unavailable, "post-sales can't be reached; see omsctl status"),
    ])
  func missing(id: String, code: StatusCode, text: String) async throws {
    try await withGateway { gateway, _ in
      let error = await #expect(throws: RPCError.self) {
        _ = try await gateway.unary(Calls.getRefusedMessage, .init(deliveryId: id))
      }
      #expect(error?.code == code && error?.message.contains(text) == true)
    }
  }
}
