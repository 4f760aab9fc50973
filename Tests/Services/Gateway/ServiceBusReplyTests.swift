import HTTP
import Testing

@testable import Gateway

/// messages.md §1, "Client rule", and what the two stand-ins send.
@Suite struct ServiceBusReplyTests {
  @Test(
    "successes",
    arguments: [
      (200, #"{"jsonrpc":"2.0","id":1,"result":{"id":"c"}}"#), (200, #"{"id":"other","result":[],"error":""}"#),
      (201, #"{"result":null,"error":null}"#), (204, ""), (200, "[]"),
    ])
  func success(status: Int, body: String) {
    #expect(ServiceBusReply(HTTPResponse(status: status, body: Array(body.utf8))).failure == nil)
  }

  @Test(
    "failures, with the bus's own words",
    arguments: [
      (200, #"{"error":{"code":-32000,"message":"URL is empty"}}"#, "URL is empty"),
      (200, #"{"error":"URL is empty"}"#, "URL is empty"),
      (200, #"{"error":{"code":-32000}}"#, #"{"code":-32000}"#),
      (200, #"{"error":false}"#, "false"),
      (200, "<html>proxy</html>", "this is no JSON: <html>proxy</html>"),
      (404, #""{\"error_message\":\"no such method\"}""#, "no such method"),
      (500, "", "nothing else"), (503, "down\nfor now", "down for now"), (302, "", "nothing else"),
    ])
  func failure(status: Int, body: String, reason: String) {
    let failure = ServiceBusReply(HTTPResponse(status: status, body: Array(body.utf8))).failure
    #expect(failure == .refused(status: status, reason))
  }

  @Test("401 is its own case")
  func unauthorized() {
    #expect(ServiceBusReply(HTTPResponse(status: 401)).failure == .unauthorized)
  }

  @Test(
    "which refusals may mean that the id is taken",
    arguments: [
      (200, "Duplicate entry 'connector' for key 'PRIMARY'", true), (200, "UNIQUE constraint failed", true),
      (409, "conflict", true), (500, "nothing else", true), (200, "URL is empty", false), (503, "down", false),
    ])
  func duplicates(status: Int, reason: String, expected: Bool) {
    #expect(ServiceBusError.refused(status: status, reason).mayMeanDuplicate == expected)
  }

  @Test(
    "which failures mean that asking is of no use, and which pass",
    arguments: [
      (ServiceBusError.refused(status: 200, "unknown method"), true), (.refused(status: 404, "nothing else"), true),
      (.refused(status: 500, "nothing else"), true), (.unauthorized, true), (.refused(status: 503, "down"), false),
      (.refused(status: 429, "slower"), false), (.unreachable("x"), false), (.noToken("x"), false),
      (.redirected(status: 302, "x"), false),
    ])
  func cannotBeAsked(error: ServiceBusError, expected: Bool) {
    #expect(error.meansCannotBeAsked == expected)
  }

  @Test("forms are encoded as the URL standard has it")
  func form() {
    let encoded = FormURLEncoding.encode([("client_id", "a b&c=d"), ("client_secret", "ü+/%~")])
    #expect(String(decoding: encoded, as: UTF8.self) == "client_id=a+b%26c%3Dd&client_secret=%C3%BC%2B%2F%25%7E")
  }

  @Test(
    "an application's own words about registration say nothing of the connector's",
    arguments: [
      (200, "no endpoint 'connector'", true), (404, "unknown endpoint connector", true),
      (404, "connector is not registered", true), (410, "Unregistered", true), (403, "client not registered", true),
      (200, "customer not registered", false), (500, "customer is unregistered", false), (400, "not registered", false),
      (404, "order not found", false), (200, "no", false),
    ])
  func unregistered(status: Int, reason: String, expected: Bool) {
    #expect(ServiceBusError.refused(status: status, reason).mayMeanUnregistered == expected)
    #expect(ServiceBusError.refused(status: status, "not registered").mayMeanUnknown)
  }
}
