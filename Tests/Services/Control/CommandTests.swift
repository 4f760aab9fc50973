import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Stubs
import Testing

@testable import Control

/// omsctl against a gateway that answers what the test says, over a real socket.
@Suite("omsctl commands")
struct CommandTests {
  private typealias Inventory = Omsconnector.V1.InventoryServiceMethods
  private typealias Gateway = Omsconnector.V1.GatewayServiceMethods

  @Test(
    "status shows every service and the registration; it fails when one does not serve",
    arguments: [
      (HealthService.Status.serving, Int32(0), "SERVING"), (.notServing, 1, "NOT_SERVING"),
    ])
  func status(sales: HealthService.Status, code: Int32, shown: String) async throws {
    let health = HealthService(services: [])
    for name in ["catalog", "inventory", "post-sales"] { health.delegate(name) { .serving } }
    health.delegate("sales") { sales }
    let register: (inout Router) -> Void = { router in
      health.register(in: &router)
      router.unary(Gateway.getRegistration) { _, _ in
        .init(
          registration: .init(state: .pending, applicationId: "connector", failedAttempts: 3, lastError: "refused\n"))
      }
      router.unary(Omsconnector.V1.ReportServiceMethods.getTimingReport) { _, _ in .init(missingReplicas: ["unix:/x"]) }
      router.unary(Omsconnector.V1.JournalServiceMethods.getQueues) { _, _ in
        .init(queues: [.init(depth: 3), .init(depth: 4)], givenUp: 2)
      }
    }
    let table = try await run(["status"], register)
    #expect(table.code == code)
    #expect(table.out.contains("gateway     SERVING\n"))
    #expect(table.out.contains("sales       \(shown)\n"))
    #expect(table.out.contains("REGISTRATION     PENDING\n"))
    #expect(table.out.contains("failed attempts  3\nlast error       refused\\n\n"))
    #expect(table.out.contains("\n7 messages wait, 2 given up: see omsctl queue, omsctl dead\n"))
    #expect(table.out.hasSuffix("Replicas that do not answer: unix:/x\n"))
    let json = try await run(["status", "-o", "json"], register)
    #expect(json.out.contains(#"{"name":"sales","health":"\#(shown)"}"#))
    #expect(json.out.contains(#""waiting":7,"given_up":2,"#))
    #expect(json.out.contains(#""missing_replicas":["unix:/x"]}"#))
  }

  @Test("a call that fails prints its status and reason, and is exit code 1")
  func fails() async throws {
    let result = try await run(["stock", "get", "EU", "x"]) { router in
      router.unary(Inventory.getStock) { _, _ in throw RPCError(.notFound, "no \u{1B}[2Jx") }
    }
    #expect(result.code == 1)
    #expect(result.out.isEmpty)
    #expect(result.err == "NOT_FOUND: no \\u{1b}[2Jx\n")
  }

  @Test("without a gateway the address and what to do about it are named")
  func noGateway() async throws {
    let captured = Captured()
    let code = await ControlMain.run(
      ["status", "--gateway", "unix:/tmp/omsctl-nobody.sock"], environment: [:], console: captured.console)
    #expect(code == 1)
    #expect(captured.error.hasPrefix("UNAVAILABLE: unix:/tmp/omsctl-nobody.sock: "))
    #expect(
      captured.error.hasSuffix("; does the gateway run there? --gateway or OMSCTL_GATEWAY names another address\n"))
  }

  @Test("a call that the gateway fails for now is made once: registering is not tried five times")
  func once() async throws {
    let calls = Lock(0)
    let result = try await run(["register"]) { router in
      router.unary(Gateway.register) { _, _ in
        calls.withLock { $0 += 1 }
        throw RPCError(.unavailable, "the OMS is down")
      }
    }
    #expect(result.code == 1)
    #expect(result.err == "UNAVAILABLE: the OMS is down\n")
    #expect(calls.withLock { $0 } == 1)
  }

  @Test("a zero is written in JSON, too")
  func zero() async throws {
    let result = try await run(["stock", "get", "EU", "x", "-o", "json"]) { router in
      router.unary(Inventory.getStock) { _, _ in .init(stock: .init(sku: "x", aggregateId: "EU")) }
    }
    #expect(result.out == #"{"stock":{"sku":"x","aggregate_id":"EU","quantity":0,"unlimited":false}}"# + "\n")
  }

  @Test(
    "register, unregister, disable and enable show the registration that follows",
    arguments: [
      (["register"], "REGISTERED"), (["register", "--remove"], "UNREGISTERED"), (["unregister"], "UNREGISTERED"),
      (["disable"], "DISABLED"), (["enable"], "REGISTERED"),
    ])
  func register(arguments: [String], state: String) async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Gateway.register) { _, _ in .init(registration: .init(state: .registered)) }
      router.unary(Gateway.unregister) { _, _ in .init(registration: .init(state: .unregistered)) }
      router.unary(Gateway.disable) { _, _ in .init(registration: .init(state: .disabled)) }
      router.unary(Gateway.enable) { _, _ in .init(registration: .init(state: .registered)) }
    }
    let result = try await run(arguments, register)
    #expect(result.code == 0)
    #expect(result.out == "REGISTRATION  \(state)\n")
    let json = try await run(arguments + ["-o", "json"], register)
    #expect(json.out.hasPrefix(#"{"registration":{"state":"REGISTRATION_STATE_\#(state)","#))
  }

  @Test("a registration is shown with all that is known about it")
  func registration() async throws {
    let result = try await run(["register"]) { router in
      router.unary(Gateway.register) { _, _ in
        .init(
          registration: .init(
            state: .pending, applicationId: "connector", callbackUrl: "http://c", omsUrl: "http://o",
            subscribedMethods: ["a", "b"], registeredAt: .init(seconds: 1_700_000_000), failedAttempts: 2,
            lastError: "gone", nextAttemptAt: .init(seconds: 1_700_000_060), stateSince: .init(seconds: 1_700_000_030),
            wantedState: .disabled, labels: ["version": "1", "connector": "x"],
            checkedAt: .init(seconds: 1_700_000_020), checkResult: "the OMS has it",
            nextCheckAt: .init(seconds: 1_700_000_090)))
      }
    }
    #expect(
      result.out == """
        REGISTRATION     PENDING
        wanted           DISABLED
        since            2023-11-14T22:13:50Z
        application      connector
        OMS              http://o
        callback         http://c
        last registered  2023-11-14T22:13:20Z
        subscribed       a, b
        labels           connector=x version=1
        failed attempts  2
        last error       gone
        next attempt     2023-11-14T22:14:20Z
        last check       2023-11-14T22:13:40Z: the OMS has it
        next check       2023-11-14T22:14:50Z

        """)
  }

  @Test(
    "a list goes through all pages, in either form, and stops at the limit",
    arguments: [
      (["stock", "list", "EU"], 2500, 3), (["stock", "list", "EU", "--limit", "1700"], 1700, 2),
      (["stock", "list", "EU", "--limit=3"], 3, 1),
    ])
  func lists(arguments: [String], rows: Int, pages: Int) async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Inventory.listStock) { request, _ in
        let start = Int(request.pageToken) ?? 0
        let end = min(start + Int(request.pageSize), 2500)
        let stock = (start..<end).map {
          Omsconnector.V1.Stock(sku: "S\($0)", aggregateId: request.aggregateId, quantity: Int64($0))
        }
        return .init(stock: stock, nextPageToken: end < 2500 ? String(end) : "")
      }
    }
    let table = try await run(arguments, register)
    #expect(table.code == 0)
    #expect(table.out.split(separator: "\n").count == rows + 1)
    #expect(table.err == (rows < 2500 ? "there are more; raise --limit to see them\n" : ""))
    let json = try await run(arguments + ["-o", "json"], register)
    let list = try Omsconnector.V1.ListStockResponse(json: Array(json.out.utf8))
    #expect(list.stock.map(\.quantity) == (0..<Int64(rows)).map { $0 })
    #expect(list.nextPageToken == (rows < 2500 ? String(rows) : ""))
  }

  @Test("an empty list, and a service that answers the same page for ever")
  func oddLists() async throws {
    let empty = try await run(["stock", "list", "EU", "-o", "json"]) { router in
      router.unary(Inventory.listStock) { _, _ in .init() }
    }
    #expect(empty.out == "{\"stock\":[],\"next_page_token\":\"\"}\n")
    let hint = try await run(["stock", "list", "EU"]) { router in
      router.unary(Inventory.listStock) { _, _ in .init() }
    }
    #expect(hint.code == 0)
    #expect(hint.err.hasPrefix("no snapshot has named a SKU of aggregate \"EU\" yet; check the spelling"))
    let endless = try await run(["stock", "list", "EU"]) { router in
      router.unary(Inventory.listStock) { _, _ in .init(nextPageToken: "again") }
    }
    #expect(endless.code == 1)
    #expect(endless.err.hasPrefix("INTERNAL: the service answers the same page again"))
  }

  @Test("the report shows times with their unit, and says which replicas are missing")
  func report() async throws {
    let result = try await run(["report", "--kind", "bus", "--since", "2024-02-03T04:05:06Z"]) { router in
      router.unary(Omsconnector.V1.ReportServiceMethods.getTimingReport) { request, _ in
        guard request.kind == .busMethod, request.since?.seconds == 1_706_933_106 else {
          throw RPCError(.internalError, "no")
        }
        return .init(
          endpoints: [
            .init(
              service: "inventory", kind: .busMethod, endpoint: "a.b", count: 12, failures: 1, averageMs: 0.5,
              p50Ms: 1.25,
              p95Ms: 20, p99Ms: 300, maxMs: 4000)
          ], missingReplicas: ["unix:/x"])
      }
    }
    #expect(
      result.out == """
        SERVICE    KIND  COUNT  FAILED     AVG      P50      P95     P99     MAX  ENDPOINT
        inventory  bus      12       1  500 µs  1.25 ms  20.0 ms  300 ms  4.00 s  a.b

        """)
    #expect(result.err == "without the newest calls of replicas that do not answer: unix:/x\n")
  }
}
