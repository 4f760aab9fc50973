import Testing

@testable import HTTP

@Suite struct HTTPServerTests {
  @Test("a request reaches the handler with method, path, fields and body")
  func request() async throws {
    try await withServer { server in
      let text = try await onThread { [address = server.address] in
        try RawClient.exchange(
          address, "POST /a%20b?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
      }
      #expect(text.hasPrefix("HTTP/1.1 200 "))
      #expect(text.contains("X-Method: POST\r\n") && text.contains("X-Path: /a b\r\n"))
      #expect(text.hasSuffix("\r\n\r\nhello"))
    }
  }

  @Test("HTTP/1.0 is answered and the connection closed")
  func http10() async throws {
    try await withServer { server in
      let text = try await onThread { [address = server.address] in
        try RawClient.exchange(address, "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nok")
      }
      #expect(text.hasSuffix("\r\n\r\nok"))
    }
  }

  @Test("a chunked body arrives whole")
  func chunked() async throws {
    try await withServer { server in
      let text = try await onThread { [address = server.address] in
        try RawClient.exchange(
          address,
          "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
      }
      #expect(text.hasSuffix("\r\n\r\nabcde"))
    }
  }

  @Test("pipelined requests are answered in their order, also when the first handler is the slower one")
  func pipelined() async throws {
    let handler: HTTPServer.Handler = { request in
      if request.target == "/1" { for _ in 0..<1000 { await Task.yield() } }
      return echo(request)
    }
    try await withServer(handler: handler) { server in
      let text = try await onThread { [address = server.address] in
        let requests = (1...3).map {
          "POST /\($0) HTTP/1.1\r\nHost: x\r\n\($0 == 3 ? "Connection: close\r\n" : "")Content-Length: 1\r\n\r\n\($0)"
        }
        return try RawClient.exchange(address, requests.joined())
      }
      let paths = text.split(separator: "\r\n").filter { $0.hasPrefix("X-Path: ") }
      #expect(paths == ["X-Path: /1", "X-Path: /2", "X-Path: /3"])
    }
  }

  @Test("a body that comes byte by byte is received")
  func slowBody() async throws {
    try await withServer { server in
      let text = try await onThread { [address = server.address] in
        let client = try RawClient(address)
        try client.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 40\r\n\r\n")
        for _ in 0..<40 { try client.write("z") }
        return try client.read()
      }
      #expect(text.hasSuffix(String(repeating: "z", count: 40)))
    }
  }

  @Test("Expect: 100-continue is answered before the body is sent")
  func expectContinue() async throws {
    try await withServer { server in
      let (interim, text) = try await onThread { [address = server.address] in
        let client = try RawClient(address)
        try client.write(
          "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        let interim = try client.read { $0.contains("\r\n\r\n") }
        try client.write("ok")
        return (interim, try client.read())
      }
      #expect(interim.hasPrefix("HTTP/1.1 100 Continue"))
      #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("ok"))
    }
  }

  @Test("many connections at once, each with several requests")
  func concurrent() async throws {
    try await withServer { server in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<32 {
          group.addTask { [address = server.address] in
            try await onThread {
              let client = try RawClient(address)
              var answered = 0
              for index in 0..<20 {
                let body = "b\(index)"
                try client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                if try client.read(until: { $0.hasSuffix("\r\n\r\n\(body)") }).hasPrefix("HTTP/1.1 200 ") {
                  answered += 1
                }
              }
              return answered
            }
          }
        }
        for try await answered in group { #expect(answered == 20) }
      }
    }
  }

  @Test("an address in use is refused with the address, the reason and the remedy")
  func addressInUse() async throws {
    try await withServer { server in
      let error = #expect(throws: HTTPServerError.self) {
        try HTTPServer(listeningOn: server.address, setting: "GATEWAY_HTTP", handler: { echo($0) })
      }
      #expect(
        error?.description
          == "127.0.0.1:\(server.address.port) is in use by another process: stop it or set GATEWAY_HTTP to another address"
      )
    }
  }

  @Test("an unknown host names the setting")
  func unknownHost() {
    let error = #expect(throws: HTTPServerError.self) {
      try HTTPServer(
        listeningOn: HTTPAddress(host: "203.0.113.7", port: 80), setting: "GATEWAY_ADMIN", handler: { echo($0) })
    }
    #expect(
      error?.description.contains("GATEWAY_ADMIN") == true && error?.description.contains("203.0.113.7:80") == true)
  }

  @Test(
    "addresses are HOST:PORT",
    arguments: [
      ("127.0.0.1:8080", "127.0.0.1:8080"), ("localhost:0", "localhost:0"), ("[::1]:80", "[::1]:80"), ("8080", nil),
      (":8080", nil), ("::1:80", nil), ("host:", nil), ("host:65536", nil), ("host:-1", nil), ("", nil),
    ] as [(String, String?)])
  func addresses(text: String, expected: String?) {
    #expect(HTTPAddress(parsing: text)?.description == expected)
  }
}
