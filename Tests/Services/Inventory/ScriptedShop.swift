import Commerce
import EventLoop
import HTTP
import Messages
import ServiceKit
import Testing

@testable import Inventory

/// A shop that answers as the test says, and keeps what it was asked.
final class ScriptedShop: Sendable {
  struct Request: Sendable {
    let method: String
    /// Without /rest/all/ and the query.
    let route: String
    let body: String

    /// The SKUs of a body of source items.
    var skus: [String] {
      guard let items = try? JSONDocument(parsing: Array(body.utf8)).root["sourceItems"]?.elements else { return [] }
      return items.compactMap { $0["sku"]?.string }
    }
  }

  private let server: HTTPServer
  private let seen: RequestLog
  let client: CommerceClient

  init(_ answer: @escaping @Sendable (Request) -> HTTPResponse) throws {
    let seen = RequestLog()
    self.seen = seen
    server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { request in
      let path = request.target.split(separator: "?", maxSplits: 1)[0].dropFirst("/rest/all/".count)
      let asked = Request(
        method: request.method, route: String(path), body: String(decoding: request.body, as: UTF8.self))
      seen.add(asked)
      return answer(asked)
    }
    var options = CommerceClient.Options()
    options.firstPause = .milliseconds(1)
    options.readTries = 1
    client = CommerceClient(url: "http://\(server.address)/", credentials: .bearer(Secret("secret")), options: options)
  }

  var requests: [Request] { seen.all }

  func stop() async { await server.shutdown(grace: .seconds(1)) }
}

private final class RequestLog: Sendable {
  private let requests = Lock([ScriptedShop.Request]())
  var all: [ScriptedShop.Request] { requests.withLock { $0 } }
  func add(_ request: ScriptedShop.Request) { requests.withLock { $0.append(request) } }
}
