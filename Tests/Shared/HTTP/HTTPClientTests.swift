import Testing

@testable import HTTP

@Suite struct HTTPClientTests {
  @Test("a request's method, fields and body arrive, and the response comes back")
  func exchange() async throws {
    let handler: HTTPServer.Handler = { request in
      var response = echo(request)
      response.headers.add("X-Token", request.headers["authorization"] ?? "")
      response.status = 201
      return response
    }
    try await withServer(handler: handler) { server in
      let request = HTTPRequest(
        method: "POST", target: "http://\(server.address)/oauth/token", headers: ["Authorization": "Bearer t"],
        body: Array("hello".utf8))
      let response = try await HTTPClient().send(request)
      #expect(response.status == 201)
      #expect(response.headers["x-token"] == "Bearer t" && response.headers["X-METHOD"] == "POST")
      #expect(response.body == Array("hello".utf8))
    }
  }

  @Test("methods without a body", arguments: ["GET", "OPTIONS", "DELETE", "HEAD", "POST"])
  func methods(method: String) async throws {
    try await withServer { server in
      let response = try await HTTPClient().send(HTTPRequest(method: method, target: "http://\(server.address)/p"))
      #expect(response.status == 200 && response.headers["X-Method"] == method && response.body.isEmpty)
    }
  }

  @Test("a large body is sent at once")
  func largeBody() async throws {
    try await withServer { server in
      let body = [UInt8](repeating: 7, count: 3 << 20)
      let response = try await HTTPClient().send(
        HTTPRequest(method: "POST", target: "http://\(server.address)/", body: body))
      #expect(response.body == body)
    }
  }

  @Test("redirects are not followed")
  func redirect() async throws {
    try await withServer(handler: { _ in HTTPResponse(status: 302, headers: ["Location": "http://127.0.0.1:1/"]) }) {
      let response = try await HTTPClient().send(HTTPRequest(method: "GET", target: "http://\($0.address)/"))
      #expect(response.status == 302)
    }
  }

  @Test("many requests at once, more than may be on the wire")
  func concurrent() async throws {
    try await withServer { server in
      var options = HTTPClientOptions()
      options.maxConcurrentRequests = 4
      let client = HTTPClient(options: options)
      try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for index in 0..<100 {
          group.addTask { [address = server.address] in
            let request = HTTPRequest(method: "POST", target: "http://\(address)/", body: Array("\(index)".utf8))
            return try await client.send(request).body
          }
        }
        var bodies: Set<[UInt8]> = []
        for try await body in group { bodies.insert(body) }
        #expect(bodies.count == 100)
      }
    }
  }

  @Test("one request too many fails at once instead of waiting without limit")
  func overloaded() async throws {
    let gate = Gate()
    let arrived = Gate()
    let handler: HTTPServer.Handler = { request in
      await arrived.open()
      await gate.pass()
      return echo(request)
    }
    try await withServer(handler: handler) { server in
      var options = HTTPClientOptions()
      options.maxConcurrentRequests = 1
      options.maxWaitingRequests = 0
      let client = HTTPClient(options: options)
      let request = HTTPRequest(method: "GET", target: "http://\(server.address)/")
      async let first = client.send(request)
      await arrived.pass()
      let error = await #expect(throws: HTTPClientError.self) { try await client.send(request) }
      #expect(error?.kind == .overloaded)
      await gate.open()
      let response = try await first
      #expect(response.status == 200)
    }
  }

  @Test("no answer in time names the URL without its secrets")
  func timeout() async throws {
    let gate = Gate()
    let handler: HTTPServer.Handler = { request in
      await gate.pass()
      return echo(request)
    }
    try await withServer(handler: handler) { server in
      let request = HTTPRequest(method: "GET", target: "http://user:word@\(server.address)/a?token=b")
      let error = await #expect(throws: HTTPClientError.self) {
        try await HTTPClient().send(request, timeout: .milliseconds(100))
      }
      #expect(error?.kind == .timedOut)
      #expect(error?.description == "http://\(server.address)/a: no answer in time")
      await gate.open()
    }
  }

  @Test("a response over the limit fails")
  func responseTooLarge() async throws {
    try await withServer(handler: { _ in HTTPResponse(status: 200, body: [UInt8](repeating: 1, count: 5000)) }) {
      var options = HTTPClientOptions()
      options.maxResponseBytes = 4000
      let request = HTTPRequest(method: "GET", target: "http://\($0.address)/")
      let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient(options: options).send(request) }
      #expect(error?.kind == .responseTooLarge)
    }
  }

  @Test("a cancelled task gets its error at once, and the client goes on")
  func cancellation() async throws {
    let gate = Gate()
    let arrived = Gate()
    let handler: HTTPServer.Handler = { request in
      guard request.target == "/held" else { return echo(request) }
      await arrived.open()
      await gate.pass()
      return echo(request)
    }
    try await withServer(handler: handler) { server in
      let client = HTTPClient()
      let task = Task { try await client.send(HTTPRequest(method: "GET", target: "http://\(server.address)/held")) }
      await arrived.pass()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      await gate.open()
      let response = try await client.send(HTTPRequest(method: "GET", target: "http://\(server.address)/"))
      #expect(response.status == 200)
    }
  }

  @Test(
    "what can't be sent or reached fails with its kind",
    arguments: [
      ("http://127.0.0.1:1/", HTTPClientError.Kind.unreachable), ("http://host.invalid/", .unreachable),
      ("file:///etc/passwd", .invalidRequest), ("not a url", .invalidRequest), ("", .invalidRequest),
    ])
  func failures(url: String, kind: HTTPClientError.Kind) async {
    let error = await #expect(throws: HTTPClientError.self) {
      try await HTTPClient().send(HTTPRequest(method: "GET", target: url))
    }
    #expect(error?.kind == kind, "\(String(describing: error))")
  }

  @Test("a header field can't smuggle in another")
  func smuggling() async {
    let request = HTTPRequest(method: "GET", target: "http://127.0.0.1:1/", headers: ["X-A": "1\r\nX-B: 2"])
    let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient().send(request) }
    #expect(error?.kind == .invalidRequest)
  }
}
