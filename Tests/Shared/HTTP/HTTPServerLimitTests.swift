import Glibc
import Testing

@testable import HTTP

/// What keeps a server alive under slow, greedy and silent peers.
@Suite struct HTTPServerLimitTests {
  private func options(_ change: (inout HTTPServerOptions) -> Void) -> HTTPServerOptions {
    var options = HTTPServerOptions()
    options.rejection = { HTTPResponse(status: $0.status, body: Array("\($0.target): \($0.message)".utf8)) }
    change(&options)
    return options
  }

  enum Framing: CaseIterable { case contentLength, expectContinue, chunked, tooLargeToDiscard }

  @Test("a body over the limit is answered with 413 and the connection closed", arguments: Framing.allCases)
  func tooLarge(framing: Framing) async throws {
    try await withServer(options { $0.maxBodyBytes = 1000 }, handler: { _ in HTTPResponse(status: 500) }) { server in
      let text = try await onThread { [address = server.address] in
        let client = try RawClient(address)
        let head = "POST /p HTTP/1.1\r\nHost: x\r\n"
        switch framing {
        case .contentLength:
          try client.write(head + "Content-Length: 100000\r\n\r\n" + String(repeating: "x", count: 100_000))
        case .expectContinue:
          try client.write(head + "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
        case .chunked:
          let chunk = "3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n"
          try client.write(
            head + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 5) + "0\r\n\r\n")
        case .tooLargeToDiscard:
          try client.write(head + "Content-Length: 999999999999\r\n\r\n")
        }
        return try client.read()
      }
      #expect(text.hasPrefix("HTTP/1.1 413 "))
      #expect(text.contains("\r\nConnection: close\r\n"))
      #expect(text.hasSuffix("/p: the body is larger than 1000 bytes: send the message in parts"))
    }
  }

  @Test("a body of exactly the limit is served")
  func exactlyTheLimit() async throws {
    try await withServer(options { $0.maxBodyBytes = 1000 }) { server in
      let text = try await onThread { [address = server.address] in
        let body = String(repeating: "x", count: 1000)
        return try RawClient.exchange(
          address, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n\(body)")
      }
      #expect(text.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test("bodies that together are more than the process may hold are refused with 503, and room is given back")
  func overloaded() async throws {
    let gate = Gate()
    let arrived = Gate()
    let handler: HTTPServer.Handler = { request in
      if request.target == "/held" {
        await arrived.open()
        await gate.pass()
      }
      return echo(request)
    }
    try await withServer(options { $0.maxBufferedBytes = 1500 }, handler: handler) { server in
      func post(_ path: String) async throws -> String {
        try await onThread { [address = server.address] in
          try RawClient.exchange(
            address,
            "POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n"
              + String(repeating: "x", count: 1000))
        }
      }
      async let held = post("/held")
      await arrived.pass()
      let second = try await post("/second")
      await gate.open()
      let (first, third) = (try await held, try await post("/third"))
      #expect(first.hasPrefix("HTTP/1.1 200 "))
      #expect(second.hasPrefix("HTTP/1.1 503 "))
      #expect(third.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test("header fields over the limit are refused")
  func largeHeader() async throws {
    try await withServer(options { $0.maxHeaderBytes = 4096 }) { server in
      let text = try await onThread { [address = server.address] in
        try RawClient.exchange(
          address, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: \(String(repeating: "y", count: 8000))\r\n\r\n")
      }
      #expect(text.hasPrefix("HTTP/1.1 431 "))
    }
  }

  @Test("200 idle connections that are never closed keep nobody out, beyond the limit either")
  func idleConnections() async throws {
    try await withServer(options { $0.maxConnections = 100 }) { server in
      let text = try await onThread { [address = server.address] in
        var idle: [RawClient] = []
        for _ in 0..<200 { idle.append(try RawClient(address)) }
        // Half a request is idle as well.
        for client in idle.suffix(50) { try client.write("POST / HT") }
        let text = try RawClient.exchange(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        withExtendedLifetime(idle) {}
        return text
      }
      #expect(text.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test(
    "a peer that sends a byte now and then is cut off",
    arguments: ["GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"])
  func drip(start: String) async throws {
    try await withServer(options { $0.transferTimeout = .milliseconds(200) }) { server in
      let isCut = try await onThread { [address = server.address] in
        let client = try RawClient(address)
        try client.write(start)
        // Ends by the server's reset; the bound is far beyond its timeout.
        for _ in 0..<1_000_000 {
          do { try client.write("x") } catch { return true }
          // The peer's slowness. At full speed a busy machine takes all of the body before the server looks.
          usleep(100)
        }
        return false
      }
      #expect(isCut)
    }
  }

  @Test("a handler may take longer than a transfer")
  func slowHandler() async throws {
    let handler: HTTPServer.Handler = { request in
      try? await Task.sleep(for: .milliseconds(400))
      return echo(request)
    }
    try await withServer(options { $0.transferTimeout = .milliseconds(100) }, handler: handler) { server in
      let text = try await onThread { [address = server.address] in
        try RawClient.exchange(address, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      }
      #expect(text.hasPrefix("HTTP/1.1 200 "))
    }
  }
}
