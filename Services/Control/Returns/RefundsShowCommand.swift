import Messages
import Stubs

/// `omsctl refunds show CREDIT-NOTE`
struct RefundsShowCommand: Command {
  static let path = ["refunds", "show"]
  static let arguments = "CREDIT-NOTE"
  static let summary = "shows one refund with its credit memos and its lines"

  private let request: Omsconnector.V1.GetRefundRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    request = .init(creditNoteNumber: words[0])
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.getRefund, request, options: session.options)
    session.show(response, as: RefundTable.details(response.refund ?? .init()))
    return 0
  }
}
