import Messages
import Stubs

/// `omsctl refunds settle CREDIT-NOTE --note TEXT`
struct RefundsSettleCommand: Command {
  static let path = ["refunds", "settle"]
  static let arguments = "CREDIT-NOTE --note TEXT"
  static let summary = "says that the rest of a refund was done by hand"
  static let details = """
    --note TEXT  what was done, and by whom; it is kept with the refund, which counts as done

    """
  static let options: Set<String> = ["note"]

  private let request: Omsconnector.V1.SettleRefundRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    guard let note = options["note"], !note.isEmpty else {
      throw UsageError("refunds settle needs --note TEXT: it is kept with the refund")
    }
    request = .init(creditNoteNumber: words[0], note: note)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.PostSalesServiceMethods.settleRefund, request, options: session.options)
    session.show(response, as: RefundTable.details(response.refund ?? .init()))
    return 0
  }
}
