import HTTP
import Messages

/// How an answer of the service bus is read. Success is HTTP 2xx and an `error` that is absent, null or an empty
/// string; ids need not match. Source: messages.md §1, "Client rule".
struct ServiceBusReply {
  let response: HTTPResponse
  /// nil when it is no JSON.
  let content: JSONValue?
  /// What went wrong, nil for a success.
  let failure: ServiceBusError?

  init(_ response: HTTPResponse) {
    let content = try? JSONDocument(parsing: response.body).root
    self.response = response
    self.content = content
    failure = Self.failure(response, content)
  }

  private static func failure(_ response: HTTPResponse, _ content: JSONValue?) -> ServiceBusError? {
    if response.status == 401 { return .unauthorized }
    guard (200..<300).contains(response.status) else {
      return .refused(status: response.status, content.map(reason) ?? excerpt(response.body))
    }
    if response.body.isEmpty { return nil }
    guard let content else { return .refused(status: response.status, "this is no JSON: \(excerpt(response.body))") }
    guard let error = content["error"], error.kind != .null, error.string != "" else { return nil }
    return .refused(status: response.status, reason(content))
  }

  /// The error's own words, in whichever of the known places they stand.
  private static func reason(_ reply: JSONValue) -> String {
    // The PHP stand-in answers unknown methods with JSON inside a JSON string.
    if let inner = reply.string.flatMap({ try? JSONDocument(parsing: Array($0.utf8)).root }), inner.kind == .object {
      return reason(inner)
    }
    let places = [reply["error"]?["message"], reply["error"], reply["error_message"]]
    return excerpt(Array((places.lazy.compactMap { $0?.scalar ?? $0?.text }.first ?? reply.text).utf8))
  }

  /// The beginning of an answer, on one line.
  private static func excerpt(_ body: [UInt8]) -> String {
    if body.isEmpty { return "nothing else" }
    let text = String(decoding: body.prefix(300), as: UTF8.self)
    let line = String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
    return body.count > 300 ? line + "…" : line
  }
}
