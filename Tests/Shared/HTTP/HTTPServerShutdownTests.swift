import Testing

@testable import HTTP

@Suite struct HTTPServerShutdownTests {
  @Test("shutdown waits for handlers at work and sends their answers")
  func drains() async throws {
    let arrived = Gate()
    let release = Gate()
    let server = try HTTPServer(
      listeningOn: HTTPAddress(host: "127.0.0.1", port: 0), setting: "GATEWAY_HTTP",
      handler: { request in
        await arrived.open()
        await release.pass()
        return echo(request)
      })
    async let answer = onThread { [address = server.address] in
      try RawClient.exchange(address, "GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
    }
    await arrived.pass()
    async let stopped: Void = server.shutdown(grace: .seconds(20))
    await release.open()
    await stopped
    let text = try await answer
    #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("X-Path: /last"))
    await #expect(throws: RawClient.Failure.self) {
      try await onThread { [address = server.address] in try RawClient.exchange(address, "GET / HTTP/1.0\r\n\r\n") }
    }
  }

  @Test("when the grace is over, handlers are cancelled, their clients get 503, and half requests are cut")
  func graceEnds() async throws {
    let arrived = Gate()
    let server = try HTTPServer(
      listeningOn: HTTPAddress(host: "127.0.0.1", port: 0), setting: "GATEWAY_HTTP",
      handler: { request in
        await arrived.open()
        // Ends by cancellation only.
        try? await Task.sleep(for: .seconds(3600))
        return echo(request)
      })
    async let answers = onThread { [address = server.address] in
      let half = try RawClient(address)
      try half.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
      let slow = try RawClient.exchange(address, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
      return (slow, try half.read())
    }
    await arrived.pass()
    // It returns although the handler would not: the suite would hang here otherwise.
    await server.shutdown(grace: .milliseconds(100))
    let (told, cut) = try await answers
    #expect(told.hasPrefix("HTTP/1.1 503 ") && cut == "")
  }

  @Test("shutdown twice is harmless")
  func twice() async throws {
    try await withServer { server in await server.shutdown(grace: .zero) }
  }
}
