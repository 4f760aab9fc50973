import HTTP
import Testing

@testable import Gateway

@Suite("What an answer of the bus means for a message")
struct BusVerdictTests {
  enum Kind { case taken, refused, failed, away }

  static let answers: [(Int, String, Kind)] = [
    // Client rule: 2xx and `error` absent, null or empty; ids need not match.
    (200, #"{"jsonrpc":"2.0","id":"other","result":null}"#, .taken), (200, #"{"id":1,"result":[],"error":""}"#, .taken),
    (200, #"{"result":{"a":1},"error":null}"#, .taken), (201, "{}", .taken), (202, "", .taken), (204, "", .taken),
    (200, "[]", .taken), (200, "true", .taken),
    // The same bytes would be refused again.
    (200, #"{"error":{"code":-32601,"message":"unknown method"}}"#, .refused),
    (200, #"{"error":{"code":-32602,"message":"no sku"}}"#, .refused),
    (200, #"{"error":{"code":"-32600","message":"no batch"}}"#, .refused),
    (400, "{}", .refused), (403, "", .refused), (404, #""{\"error_message\":\"unknown\"}""#, .refused),
    (405, "", .refused), (409, "{}", .refused), (413, "", .refused), (422, "{}", .refused),
    // May have to do with the message, and may pass.
    (401, "{}", .failed),
    (200, #"{"error":{"code":-32000,"message":"order 7 is not there yet"}}"#, .failed),
    (200, #"{"error":{"code":-32700,"message":"parse error"}}"#, .failed),
    (200, #"{"error":"deadlock"}"#, .failed), (200, #"{"error":{}}"#, .failed), (200, #"{"error":false}"#, .failed),
    (200, #"{"error":{"code":1e99}}"#, .failed),
    (200, "<!DOCTYPE html><title>Sign in</title>", .failed), (200, #"{"result":"#, .failed),
    (500, "", .failed), (500, #"{"error":{"code":-32601}}"#, .failed), (501, "", .failed), (599, "", .failed),
    // Has nothing to do with the message.
    (408, "", .away), (429, "", .away), (502, "<html>", .away), (503, "", .away), (504, "", .away),
    (304, "", .away), (300, "", .away),
  ]

  @Test("status and body decide", arguments: answers)
  func table(status: Int, body: String, expected: Kind) {
    let response = HTTPResponse(status: status, body: Array(body.utf8))
    let verdict = BusVerdict(ServiceBusReply(response), now: .now) { $0 }
    let kind: Kind =
      switch verdict {
      case .taken: .taken
      case .refused: .refused
      case .failed: .failed
      case .away: .away
      }
    #expect(kind == expected, "\(status) \(body): \(verdict)")
    if kind != .taken { #expect(!verdict.outcome.reason.isEmpty) }
  }

  @Test("the result is the reply's, as it was written")
  func result() {
    let response = HTTPResponse.json(#"{"id":1, "result": {"price": 4.20, "n": 12345678901234567890}}"#)
    let verdict = BusVerdict(ServiceBusReply(response), now: .now) { $0 }
    #expect(verdict == .taken(result: Array(#"{"price":4.20,"n":12345678901234567890}"#.utf8)))
  }

  @Test("a refusal keeps the OMS's words, without what is secret")
  func refusal() {
    let response = HTTPResponse.json(#"{"error":{"code":-32602,"message":"bad s3cret","data":["s3cret"]}}"#)
    let verdict = BusVerdict(ServiceBusReply(response), now: .now) { $0.replacing("s3cret", with: "••••") }
    guard case .refused(let reason, let error) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(reason == "the OMS answers 200: bad ••••")
    #expect(String(decoding: error, as: UTF8.self) == #"{"code":-32602,"message":"bad ••••","data":["••••"]}"#)
  }

  @Test(
    "who says when to come back speaks of itself: the whole destination waits", arguments: [429, 503, 500, 507, 408])
  func retryAfter(status: Int) {
    let response = HTTPResponse(status: status, headers: ["Retry-After": "7"])
    guard case .away(_, .seconds(7)?) = BusVerdict(ServiceBusReply(response), now: .now, clean: { $0 }) else {
      Issue.record("\(BusVerdict(ServiceBusReply(response), now: .now) { $0 })")
      return
    }
  }
}
