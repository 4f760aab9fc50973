import HTTP
import Testing

@testable import Commerce

@Suite("What the shop says went wrong")
struct CommerceErrorTests {
  @Test(
    "placeholders are filled in from a list and from an object, once",
    arguments: [
      (#"{"message":"plain"}"#, "plain"),
      (
        #"{"message":"Maximum items of type \"%1\" is %2","parameters":["SourceItem",20]}"#,
        #"Maximum items of type "SourceItem" is 20"#
      ),
      (
        #"{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"orderId","fieldValue":7}}"#,
        "No such entity with orderId = 7"
      ),
      (#"{"message":"%1%2","parameters":["%2","x"]}"#, "%2x"),
      (#"{"message":"%12 %1","parameters":["a"]}"#, "a2 a"),
      (#"{"message":"100% of %1","parameters":["it"]}"#, "100% of it"),
      (#"{"message":"%name","parameters":[]}"#, "%name"),
      (
        #"{"message":"Shipment Document Validation Error(s):\nThe order does not allow a shipment to be created."}"#,
        "Shipment Document Validation Error(s): The order does not allow a shipment to be created."
      ),
    ])
  func message(body: String, expected: String) {
    #expect(CommerceError.message(in: HTTPResponse(status: 400, body: Array(body.utf8))) == expected)
  }

  @Test(
    "the status says what may be done",
    arguments: [
      (401, nil, .unauthorized, false, true), (404, nil, .notFound, false, false), (400, nil, .refused, false, false),
      (429, nil, .limited(retryAfter: nil), false, true), (429, "7", .limited(retryAfter: .seconds(7)), false, true),
      (503, "7", .limited(retryAfter: .seconds(7)), false, true), (503, nil, .failed, true, true),
      (500, nil, .failed, true, true), (503, "99999999999999999999", .failed, true, true),
      (429, "999999", .limited(retryAfter: .seconds(3600)), false, true),
    ] as [(Int, String?, CommerceError.Kind, Bool, Bool)])
  func kinds(status: Int, retryAfter: String?, kind: CommerceError.Kind, mayHaveHadEffect: Bool, mayPass: Bool) {
    var response = HTTPResponse(status: status)
    response.headers["Retry-After"] = retryAfter
    let error = CommerceError(response, request: "GET V1/orders") { $0 }
    #expect(error.kind == kind)
    #expect(error.mayHaveHadEffect == mayHaveHadEffect && error.mayPass == mayPass)
    #expect("\(error)".hasPrefix("GET V1/orders answers \(status): HTTP status \(status)"))
  }

  @Test("of a long message only the beginning is filled in, whatever its placeholders stand for")
  func long() {
    let body = #"{"message":"\#(String(repeating: "%1", count: 200_000))end","parameters":[""]}"#
    #expect(CommerceError.message(in: HTTPResponse(status: 400, body: Array(body.utf8)))?.isEmpty == true)
  }

  @Test("secrets are taken out, and what the shop says is cut")
  func cleaned() {
    let body = #"{"message":"token abc is bad \#(String(repeating: "x", count: 5_000))"}"#
    let error = CommerceError(HTTPResponse(status: 401, body: Array(body.utf8)), request: "r") {
      $0.replacing("abc", with: "••••")
    }
    #expect(error.message.hasPrefix("token •••• is bad"))
    #expect(error.message.count == CommerceError.messageLimit + 1)
    #expect("\(error)".hasSuffix("check COMMERCE_TOKEN and the integration's rights in the shop"))
  }
}
