import HTTP
import Testing

@testable import Gateway

@Suite struct AdminEdgeTests {
  private func answer(_ method: String, _ target: String, _ readiness: Readiness = Readiness()) async -> HTTPResponse {
    await AdminEdge(readiness: readiness, registrar: Registrar(port: nil, memory: KeptInMemory())) { "a 1\n" }
      .handle(HTTPRequest(method: method, target: target))
  }

  @Test("alive and ready, also without an OMS")
  func ready() async {
    let (alive, ready) = (await answer("GET", "/healthz"), await answer("GET", "/readyz"))
    #expect(alive.status == 200 && ready.status == 200)
    #expect(String(decoding: ready.body, as: UTF8.self) == #"{"status":"ready","registration":"unconfigured"}"#)
  }

  @Test("alive but not ready while stopping")
  func stopping() async {
    let readiness = Readiness()
    readiness.end()
    let (alive, ready) = (await answer("GET", "/healthz", readiness), await answer("GET", "/readyz", readiness))
    #expect(alive.status == 200 && ready.status == 503)
  }

  @Test("metrics are in the format that Prometheus asks for")
  func metrics() async {
    let answer = await answer("GET", "/metrics")
    #expect(answer.status == 200)
    #expect(answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(String(decoding: answer.body, as: UTF8.self) == "a 1\n")
  }

  @Test("nothing else is there", arguments: [("GET", "/", 404), ("POST", "/readyz", 405), ("POST", "/metrics", 405)])
  func elsewhere(method: String, target: String, status: Int) async {
    #expect(await answer(method, target).status == status)
  }
}
