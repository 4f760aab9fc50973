import RPC
import Testing

@testable import Control

@Suite("Errors on the command line")
struct ErrorTextTests {
  @Test("the details stand below the message, without saying it again")
  func details() {
    let error = RPCError(
      .invalidArgument, "page_size -1 is negative; send 0 for 100",
      details: [
        .badRequest([
          .init(field: "page_size", description: "page_size -1 is negative; send 0 for 100"),
          .init(field: "page_token", description: "is no token"),
        ]),
        .errorInfo(reason: "STORE_BUSY", domain: "omsconnector", metadata: ["b": "2", "a": "1"]),
        .retryInfo(.milliseconds(1_500)), .retryInfo(.seconds(60)),
        .other(.init(typeUrl: "type.googleapis.com/google.rpc.Help")),
      ])
    #expect(
      ErrorText.lines(of: error) == [
        "INVALID_ARGUMENT: page_size -1 is negative; send 0 for 100", "  field: page_size", "  page_token: is no token",
        "  reason: STORE_BUSY a=1 b=2 (omsconnector)", "  worth trying again after 1500 ms",
        "  worth trying again after 60 s", "  detail: google.rpc.Help",
      ])
    #expect(ErrorText.lines(of: RPCError(.notFound, "no")) == ["NOT_FOUND: no"])
  }
}
