import Messages
import Stubs

/// `omsctl refunds resume CREDIT-NOTE`
struct RefundsResumeCommand: Command {
  static let path = ["refunds", "resume"]
  static let arguments = "CREDIT-NOTE"
  static let summary = "looks at the shop anew and makes what is missing"
  static let details = """
    For a refund that is stuck, once what it says is settled. What the shop shows as done is not done again; of a refund that was
    to go through a payment gateway make sure first that the gateway has not given the money back.

    """

  private let request: Omsconnector.V1.ResumeRefundRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    request = .init(creditNoteNumber: words[0])
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.resumeRefund, request, options: session.options)
    session.show(response, as: RefundTable.details(response.refund ?? .init()))
    return 0
  }
}
