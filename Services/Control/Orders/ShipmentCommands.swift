import Messages
import ServiceKit
import Stubs

/// `omsctl shipments list`
struct ShipmentsListCommand: Command {
  static let path = ["shipments", "list"]
  static let summary = "shows what the OMS asks the warehouse to send, the newest first"
  static let details = """
    --open     only requests with lines that have not ended
    --limit N  requests at most; default: 50

    """
  static let options: Set<String> = ["limit"]
  static let flags: Set<String> = ["open"]

  private let isOpen: Bool
  private let limit: Int

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(0, words)
    limit = try NumberOption.parse(options["limit"], option: "limit", default: 50)
    isOpen = flags.contains("open")
  }

  func run(in session: Session) async throws -> Int32 {
    let (requests, next) = try await PageTokens.collect(limit: limit, of: "the sales service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.SalesServiceMethods.listShipmentRequests,
        .init(pageSize: size, pageToken: token, open: isOpen), options: session.options)
      return (page.shipmentRequests, page.nextPageToken)
    }
    let list = Omsconnector.V1.ListShipmentRequestsResponse(shipmentRequests: requests, nextPageToken: next)
    session.show(list, as: OrderTable.of(requests))
    session.complainOfMore(behind: next)
    return 0
  }
}

/// `omsctl shipments ship REQUEST`
struct ShipmentsShipCommand: Command {
  static let path = ["shipments", "ship"]
  static let arguments = "REQUEST --lines N[,N…]"
  static let summary = "tells the OMS that lines of a request have left, in one package"
  static let details = """
    --lines N[,N…]     the lines in the package
    --package ID       the package's id, which its label has; required
    --carrier NAME     who carries it
    --tracking NUMBER  its tracking number
    --link URL         its tracking page
    --by NAME          who says so; default: your user name

    Said again it changes nothing. A line that has ended otherwise is refused.

    """
  static let options: Set<String> = ["lines", "package", "carrier", "tracking", "link", "by"]

  private let request: Omsconnector.V1.ReportShipmentRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    guard let package = options["package"], !package.isEmpty else {
      throw UsageError("shipments ship needs --package ID")
    }
    request = .init(
      requestId: words[0],
      packages: [
        .init(
          id: package, lineNumbers: try LineNumbers.parse(options["lines"], of: "shipments ship"),
          carrier: options["carrier"] ?? "", trackingNumber: options["tracking"] ?? "",
          trackingLink: options["link"] ?? "")
      ], user: options["by"] ?? UserName.current)
  }

  func run(in session: Session) async throws -> Int32 { try await LineNumbers.report(request, session) }
}

/// `omsctl shipments decline REQUEST`
struct ShipmentsDeclineCommand: Command {
  static let path = ["shipments", "decline"]
  static let arguments = "REQUEST --lines N[,N…]"
  static let summary = "tells the OMS that lines of a shipment request can't be sent from here"
  static let details = """
    --lines N[,N…]  the lines; the OMS looks for another source, or cancels them
    --by NAME       who says so; default: your user name

    """
  static let options: Set<String> = ["lines", "by"]

  private let request: Omsconnector.V1.ReportShipmentRequest

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    request = .init(
      requestId: words[0], declinedLines: try LineNumbers.parse(options["lines"], of: "shipments decline"),
      user: options["by"] ?? UserName.current)
  }

  func run(in session: Session) async throws -> Int32 { try await LineNumbers.report(request, session) }
}

/// Lines of a shipment request on the command line.
private enum LineNumbers {
  static func parse(_ text: String?, of command: String) throws(UsageError) -> [Int32] {
    guard let text else { throw UsageError("\(command) needs --lines N[,N…]; omsctl shipments list shows them") }
    var numbers: [Int32] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let number = Int32(part), number > 0 else {
        throw UsageError("--lines: \"\(part)\" is not a whole number above 0")
      }
      numbers.append(number)
    }
    return numbers
  }

  static func report(_ request: Omsconnector.V1.ReportShipmentRequest, _ session: Session) async throws -> Int32 {
    let response = try await session.channel.unary(
      Omsconnector.V1.SalesServiceMethods.reportShipment, request, options: session.options)
    switch session.format {
    case .json: session.console.print(response.json(writesDefaults: true) + "\n")
    case .table:
      for id in response.deliveryIds { OrderPrinter.asked(id, "", session) }
    }
    return 0
  }
}
