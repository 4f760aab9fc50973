import EventLoop
import Glibc
import Messages
import RPC
import Stubs
import Testing

@testable import Control

@Suite("omsctl stock apply")
struct SnapshotFileTests {
  private func read(_ text: String) throws -> [Omsconnector.V1.StockSnapshot] {
    let file = try SnapshotFile(name: "x.json", bytes: Array(text.utf8))
    return try (0..<file.count).map { try file.snapshot($0) }
  }

  @Test(
    "a snapshot, an array, one a line, and requests that hold one are read alike",
    arguments: [
      (#"{"aggregate_id":"A"}"#, ["A"]), (#"[{"aggregate_id":"A"},{"aggregate_id":"B"}]"#, ["A", "B"]),
      ("{\"aggregate_id\":\"A\"}\n{\"aggregate_id\":\"B\"}\n", ["A", "B"]),
      (#"{"snapshot":{"aggregate_id":"A"}}"#, ["A"]),
    ])
  func forms(text: String, aggregates: [String]) throws {
    #expect(try read(text).map(\.aggregateId) == aggregates)
  }

  @Test(
    "what cannot be read is refused with the file, the place and where help is",
    arguments: [
      ("", "x.json holds no snapshot"), ("nonsense", "x.json, line 1, column 1: expected {"),
      ("{\"aggregate_id\":\"A\"}\n{\n\"stock\": [,]\n}", "x.json, line 3: not JSON"),
      (
        "{}\n{\"stock\":[{\"sku\":\"a\"},{\"sku\":7,\"quantity\":\"x\"}]}",
        "x.json, in the snapshot that begins in line 2: stock[1]."
      ),
    ])
  func refuses(text: String, message: String) {
    let error = #expect(throws: UsageError.self) { try read(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    #expect(error?.description.hasSuffix("see omsctl stock apply --help for what a snapshot looks like") == true)
  }

  @Test("one snapshot is applied by a call, several by a stream, none if one of them is unreadable")
  func applies() async throws {
    let calls = Lock<[String]>([])
    var router = Router()
    router.unary(Omsconnector.V1.InventoryServiceMethods.applyStockSnapshot) { request, _ in
      calls.withLock { $0.append("unary \(request.snapshot?.aggregateId ?? "")") }
      return .init(applied: 1, invalid: 1, invalidRows: [.init(row: 1, sku: "x", aggregateId: "A", reason: "why")])
    }
    router.clientStreaming(Omsconnector.V1.InventoryServiceMethods.streamStockSnapshots) { requests, _ in
      var count: Int64 = 0
      for try await request in requests {
        count += 1
        calls.withLock { $0.append("stream \(request.snapshot?.aggregateId ?? "")") }
      }
      return .init(applied: 7, snapshots: count)
    }
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let server = Server(group: group, router: router)
    let base = "/tmp/omsctl-\(getpid())-\(UInt32.random(in: .min ... .max))"
    try server.listen(on: .unix(path: base + ".sock"))
    defer { for suffix in [".sock", ".sock.lock", ".json"] { unlink(base + suffix) } }

    func apply(_ text: String) async -> (code: Int32, captured: Captured) {
      let file = open(base + ".json", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      write(file, text, text.utf8.count)
      close(file)
      let captured = Captured()
      let arguments = ["stock", "apply", base + ".json", "--gateway", "unix:\(base).sock"]
      return (await ControlMain.run(arguments, environment: [:], console: captured.console), captured)
    }

    let one = await apply(#"{"aggregate_id":"A"}"#)
    #expect(one.code == 0)
    #expect(one.captured.output.contains("invalid    1  A          x    why\n"))
    let two = await apply(#"[{"aggregate_id":"B"},{"aggregate_id":"C"}]"#)
    #expect(two.code == 0)
    #expect(
      two.captured.output
        == "SNAPSHOTS  APPLIED  STALE  CLAMPED  INVALID  ZEROED\n        2        7      0        0        0       0\n")
    let bad = await apply("{\"aggregate_id\":\"D\"}\n{\"stock\":7}")
    #expect(bad.code == 2)
    #expect(calls.withLock { $0 } == ["unary A", "stream B", "stream C"])
    await server.shutdown(grace: .seconds(5))
  }
}
