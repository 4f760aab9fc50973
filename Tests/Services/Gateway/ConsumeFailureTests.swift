import RPC
import Testing

@testable import Gateway

@Suite struct ConsumeFailureTests {
  enum Meaning: Equatable {
    case refused, failed, unanswered, unavailable
  }

  static let table: [(RPCError, Meaning)] = [
    (RPCError(.invalidArgument, "bad"), .refused),
    (RPCError(.outOfRange, "bad"), .refused),
    (RPCError(.failedPrecondition, "no"), .refused),
    (RPCError(.notFound, "no"), .refused),
    (RPCError(.alreadyExists, "no"), .refused),
    (RPCError(.unimplemented, "no"), .refused),
    // What may be the message's doing is counted, so that it ends.
    (RPCError(.internalError, "no"), .failed),
    (RPCError(.unknown, "no"), .failed),
    (RPCError(.deadlineExceeded, "slow"), .unanswered),
    (RPCError(.aborted, "raced"), .failed),
    (RPCError(.resourceExhausted, "the message is larger than 4 MiB"), .failed),
    (RPCError(.unavailable, "the peer closed the connection"), .failed),
    // What the service says of itself is no message's doing.
    (RPCError(.resourceExhausted, "full", details: [.retryInfo(.seconds(60))]), .unavailable),
    (RPCError(.unavailable, "locked", details: [.retryInfo(.seconds(1))]), .unavailable),
    (RPCError(.internalError, "broken", details: [.retryInfo(.seconds(5))]), .unavailable),
  ]

  @Test("what a failure to consume means for the message", arguments: table)
  func meaning(error: RPCError, meaning: Meaning) {
    let found: Meaning =
      switch ConsumeFailure(error, service: .inventory).outcome {
      case .refused: .refused
      case .failed: .failed
      case .unanswered: .unanswered
      case .unavailable: .unavailable
      case .delivered, .held: .refused
      }
    #expect(found == meaning)
  }

  @Test("a service asks for the time that it says")
  func retryAfter() {
    let error = RPCError(.unavailable, "locked", details: [.retryInfo(.seconds(7))])
    #expect(ConsumeFailure(error, service: .sales).outcome == .unavailable("sales: locked", retryAfter: .seconds(7)))
  }
}
