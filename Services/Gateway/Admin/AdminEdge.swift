import HTTP
import Messages
import ServiceKit
import Synchronization

/// The gateway's own state for whoever supervises it: `/healthz`, `/readyz` and `/metrics` on
/// GATEWAY_ADMIN.
struct AdminEdge: Sendable {
  let readiness: Readiness
  let registrar: Registrar
  /// What Prometheus gets to read.
  let metrics: @Sendable () async -> String

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    guard ["/healthz", "/readyz", "/metrics"].contains(request.target) else {
      return .json(status: 404, #"{"error":"nothing is here: ask for /healthz, /readyz or /metrics"}"#)
    }
    guard ["GET", "HEAD"].contains(request.method) else {
      return .json(status: 405, headers: ["Allow": "GET, HEAD"], #"{"error":"only GET is served here"}"#)
    }
    switch request.target {
    case "/healthz": return .json(#"{"status":"alive"}"#)
    case "/metrics":
      return HTTPResponse(
        status: 200, headers: ["Content-Type": Exposition.contentType], body: Array(await metrics().utf8))
    default: return await ready()
    }
  }

  /// Ready also while the OMS has not registered the connector: calls are served, and the state says what is missing.
  private func ready() async -> HTTPResponse {
    let machine = await registrar.machine
    let isReady = readiness.isReady
    let fields = [
      #""status":"\#(isReady ? "ready" : "stopping")""#, #""registration":"\#(machine.state)""#,
      machine.lastError.isEmpty ? nil : #""last_error":\#(JSONText.quoted(machine.lastError))"#,
    ]
    return .json(status: isReady ? 200 : 503, "{\(fields.compactMap(\.self).joined(separator: ","))}")
  }
}

/// Whether the gateway takes calls; not any more once it is about to stop.
final class Readiness: Sendable {
  private let value = Atomic<Bool>(true)

  var isReady: Bool { value.load(ordering: .relaxed) }
  func end() { value.store(false, ordering: .relaxed) }
}
