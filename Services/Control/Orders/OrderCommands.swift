import Messages
import RPC
import Stubs

/// `omsctl orders show ORDER`
struct OrdersShowCommand: Command {
  static let path = ["orders", "show"]
  static let arguments = "ORDER"
  static let summary = "shows all that is known of an order, with its lines"

  private let incrementID: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    incrementID = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.getOrder, .init(incrementId: incrementID), options: session.options)
    OrderPrinter.show(response.order, response.json(writesDefaults: true), session)
    return 0
  }
}

/// `omsctl orders export ORDER`
struct OrdersExportCommand: Command {
  static let path = ["orders", "export"]
  static let arguments = "ORDER"
  static let summary = "reads an order from the shop and sends it to the OMS now"
  static let details = """
    Also one that waits, that the OMS has refused, or that was never confirmed. One that the OMS has is not sent again.

    """

  private let incrementID: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    incrementID = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.exportOrder, .init(incrementId: incrementID), options: session.options)
    OrderPrinter.show(response.order, response.json(writesDefaults: true), session)
    return 0
  }
}

/// `omsctl orders resume ORDER`
struct OrdersResumeCommand: Command {
  static let path = ["orders", "resume"]
  static let arguments = "ORDER"
  static let summary = "lets the connector bring the shop's side of an order up to date again"
  static let details = """
    For an order that needs somebody, when what could not be decided is settled. What the shop shows as done is not done
    again. Payment commands of the OMS that are stuck are passed on once more, each under the same Idempotency-Key.

    """

  private let incrementID: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    incrementID = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.resumeOrder, .init(incrementId: incrementID), options: session.options)
    OrderPrinter.show(response.order, response.json(writesDefaults: true), session)
    return 0
  }
}

/// `omsctl orders cancel ORDER`
struct OrdersCancelCommand: Command {
  static let path = ["orders", "cancel"]
  static let arguments = "ORDER"
  static let summary = "asks the OMS to cancel an order, or a line of it"
  static let details = """
    --line N       only this line; with a reason
    --reason TEXT  why, as the OMS names reasons, e.g. CUSTOMERREQ
    --by NAME      who asks; default: your user name

    The OMS decides, and says so later: omsctl orders show.

    """
  static let options: Set<String> = ["line", "reason", "by"]

  private let request: Omsconnector.V1.CancelOrderRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    let line = try options["line"].map { text throws(UsageError) in
      try NumberOption.parse(text, option: "line", default: 0)
    }
    if line != nil, options["reason"]?.isEmpty ?? true {
      throw UsageError("orders cancel --line needs --reason TEXT: the OMS wants one")
    }
    request = .init(
      incrementId: words[0], lineNumber: Int32(clamping: line ?? 0), reason: options["reason"] ?? "",
      user: options["by"] ?? UserName.current)
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.cancelOrder, request, options: session.options)
    OrderPrinter.asked(response.deliveryId, response.json(writesDefaults: true), session)
    return 0
  }
}

/// `omsctl orders comment ORDER TEXT`
struct OrdersCommentCommand: Command {
  static let path = ["orders", "comment"]
  static let arguments = "ORDER TEXT"
  static let summary = "adds a comment to an order at the OMS"
  static let details = """
    --by NAME  who says it; default: your user name

    """
  static let options: Set<String> = ["by"]

  private let request: Omsconnector.V1.CommentOrderRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(2, words)
    request = .init(
      incrementId: words[0], comment: words[1], user: options["by"] ?? UserName.current,
      requestId: "omsctl-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))")
  }

  func run(in session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.commentOrder, request, options: session.options)
    OrderPrinter.asked(response.deliveryId, response.json(writesDefaults: true), session)
    return 0
  }
}

/// What commands of orders print.
enum OrderPrinter {
  static func show(_ order: Omsconnector.V1.Order?, _ json: @autoclosure () -> String, _ session: Session) {
    switch session.format {
    case .json: session.console.print(json() + "\n")
    case .table:
      let order = order ?? .init()
      session.console.print(OrderTable.details(order))
      if let lines = OrderTable.lines(order.lines) {
        session.console.print("\n")
        session.console.print(lines)
      }
    }
  }

  static func asked(_ deliveryID: String, _ json: @autoclosure () -> String, _ session: Session) {
    switch session.format {
    case .json: session.console.print(json() + "\n")
    case .table:
      session.console.print(
        "on its way to the OMS as \(deliveryID): see omsctl journal list --delivery-id \(deliveryID)\n")
    }
  }
}
