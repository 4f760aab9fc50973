import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// What a warehouse says that it has done with lines of a shipment request, as messages for the OMS (messages.md §4.7).
struct ShipmentReport: Sendable {
  static let linesShipped = "magento.logistics.warehouse_management.lines_shipped"
  static let linesDeclined = "magento.logistics.warehouse_management.lines_declined"
  static let changeStatus = "magento.logistics.shipment_request_management.lines_change_status"

  static let shipped = "SHIPPED"
  static let declined = "PICKDECLINED"

  let requestID: String
  let packages: [Omsconnector.V1.ShippedPackage]
  let declined: [Int]
  let statuses: [Omsconnector.V1.LineStatus]
  let user: String

  /// - Throws: `RPCError` when it makes no sense by itself.
  init(_ request: Omsconnector.V1.ReportShipmentRequest) throws(RPCError) {
    try SalesService.check(request.requestId, "request_id")
    try SalesService.checkLength(request.user, "user")
    requestID = request.requestId
    packages = request.packages
    declined = request.declinedLines.map { Int($0) }
    statuses = request.lineStatuses
    user = request.user.isEmpty ? SalesService.defaultUser : request.user
    var seen: Set<Int> = []
    for (index, package) in packages.enumerated() {
      try SalesService.check(package.id, "packages[\(index)].id")
      for (text, field) in [
        (package.carrier, "carrier"), (package.trackingNumber, "tracking_number"),
        (package.trackingLink, "tracking_link"),
      ] {
        try SalesService.checkLength(text, "packages[\(index)].\(field)", limit: SalesService.textBytes)
      }
      guard !package.lineNumbers.isEmpty else {
        throw .invalid(field: "packages[\(index)].line_numbers", "package \"\(quotable(package.id))\" is empty")
      }
    }
    for (index, status) in statuses.enumerated() {
      try SalesService.check(status.status, "line_statuses[\(index)].status")
      try SalesService.checkLength(status.reason, "line_statuses[\(index)].reason")
      if [Self.shipped, Self.declined].contains(status.status) {
        throw .invalid(
          field: "line_statuses[\(index)].status",
          "\(status.status) is no mere status: send the line in packages, or in declined_lines")
      }
    }
    for number in packages.flatMap({ $0.lineNumbers.map { Int($0) } }) + declined + statuses.map({ Int($0.lineNumber) })
    {
      guard seen.insert(number).inserted else {
        throw .invalid(field: "packages", "line \(number) is reported twice; a line has one end")
      }
    }
    guard !seen.isEmpty else {
      throw .invalid(field: "packages", "nothing is reported; send packages, declined_lines or line_statuses")
    }
  }

  /// What each of its lines ends with; a text that is the same for the same end.
  private func ending(of number: Int) -> String? {
    if declined.contains(number) { return "declined" }
    guard let package = packages.first(where: { $0.lineNumbers.contains(Int32(clamping: number)) }) else { return nil }
    return JSONList.text(of: [package.id, package.carrier, package.trackingNumber, package.trackingLink])
  }

  /// Writes the ends down and what the OMS is told of them; to be called with the request as it is, in the transaction that saves it.
  ///
  /// - Parameter quantities: of the order's lines, by number.
  /// - Returns: the request as it is then, and the delivery ids of the messages; of what was reported before, those of then.
  /// - Throws: `RPCError` FAILED_PRECONDITION when a line has ended otherwise, INVALID_ARGUMENT when there is none.
  func apply(
    to request: ShipmentRequest, _ quantities: [Int: Decimal], _ add: (OutboxMessage) throws -> String
  ) throws -> (request: ShipmentRequest, deliveryIDs: [String]) {
    var request = request
    var deliveryIDs: [String] = []
    let news = try newEnds(in: request, &deliveryIDs)
    let shippedNow = packages.compactMap { package -> Omsconnector.V1.ShippedPackage? in
      var package = package
      package.lineNumbers.removeAll { !news.contains(Int($0)) }
      return package.lineNumbers.isEmpty ? nil : package
    }
    if !shippedNow.isEmpty {
      let numbers = shippedNow.flatMap { $0.lineNumbers.map { Int($0) } }
      let id = try add(
        message(Self.linesShipped, try shippedMessage(request, shippedNow, numbers, quantities), about: request))
      end(numbers, in: &request, status: Self.shipped, id)
      deliveryIDs.append(id)
    }
    let declinedNow = declined.filter { news.contains($0) }
    if !declinedNow.isEmpty {
      let id = try add(
        message(Self.linesDeclined, try declinedMessage(request, declinedNow, quantities), about: request))
      end(declinedNow, in: &request, status: Self.declined, id)
      deliveryIDs.append(id)
    }
    if !statuses.isEmpty {
      let id = try add(message(Self.changeStatus, try statusMessage(&request), about: request))
      deliveryIDs.append(id)
    }
    return (request, deliveryIDs)
  }

  /// The numbers of the lines that have not ended so before.
  private func newEnds(in request: ShipmentRequest, _ deliveryIDs: inout [String]) throws -> Set<Int> {
    var news: Set<Int> = []
    let numbers = packages.flatMap { $0.lineNumbers.map { Int($0) } } + declined + statuses.map { Int($0.lineNumber) }
    for number in numbers {
      guard let line = request.lines.first(where: { $0.number == number }) else {
        throw RPCError.invalid(
          field: "packages", "shipment request \(quotable(request.requestID)) has no line \(number)")
      }
      if line.ending.isEmpty {
        news.insert(number)
      } else if line.ending == ending(of: number) {
        if !deliveryIDs.contains(line.deliveryID) { deliveryIDs.append(line.deliveryID) }
      } else {
        throw RPCError.precondition(
          "LINE_HAS_ENDED",
          "line \(number) of shipment request \(quotable(request.requestID)) has ended before: it was "
            + (line.status == Self.shipped ? "shipped, \(line.ending)" : "declined"))
      }
    }
    return news
  }

  private func end(_ numbers: [Int], in request: inout ShipmentRequest, status: String, _ deliveryID: String) {
    for index in request.lines.indices where numbers.contains(request.lines[index].number) {
      request.lines[index].ending = ending(of: request.lines[index].number) ?? ""
      request.lines[index].status = status
      request.lines[index].deliveryID = deliveryID
    }
  }

  // MARK: Messages

  /// In order with all else about the order. Events go to all who have subscribed, commands to the OMS (messages.md §2).
  private func message(_ method: String, _ params: some Message, about request: ShipmentRequest) -> OutboxMessage {
    OutboxMessage(
      method: method, key: request.incrementID, route: method == Self.changeStatus ? .delegate : .events,
      body: Array(params.json().utf8))
  }

  private func items(
    _ numbers: [Int], of request: ShipmentRequest, status: String, reason: String = ""
  ) throws -> [Magento.Oms.V1.ShipmentItem] {
    try request.lines.filter { numbers.contains($0.number) }.map { line in
      var item = try Magento.Oms.V1.ShipmentItem(json: Array(line.item.utf8))
      item.status = status
      item.statusReason = reason
      item.statusDate = SalesService.now()
      return item
    }
  }

  /// The member holds whole numbers only: of goods that are sold by decimal quantities it says nothing, which is all of them.
  private func aggregated(
    _ numbers: [Int], of request: ShipmentRequest, _ quantities: [Int: Decimal]
  ) -> [Magento.Oms.V1.AggregatedItem] {
    var items: [Magento.Oms.V1.AggregatedItem] = []
    var units: [Decimal] = []
    for line in request.lines where numbers.contains(line.number) {
      let quantity = quantities[line.number] ?? 1
      if let index = items.firstIndex(where: { $0.sku == line.sku }) {
        units[index] += quantity
        items[index].orderLines.append(Int64(line.number))
      } else {
        units.append(quantity)
        items.append(.init(aggregatedLineId: "\(line.number)", sku: line.sku, orderLines: [Int64(line.number)]))
      }
    }
    for (index, quantity) in units.enumerated() {
      items[index].quantity = quantity.integer.flatMap { Int32(exactly: $0) } ?? 0
    }
    return items
  }

  private func shippedMessage(
    _ request: ShipmentRequest, _ packages: [Omsconnector.V1.ShippedPackage], _ numbers: [Int],
    _ quantities: [Int: Decimal]
  ) throws -> Magento.Oms.V1.LinesShipped {
    .init(
      requestId: request.requestID,
      packages: packages.map { package in
        .init(
          id: package.id, items: package.lineNumbers,
          aggregatedItems: aggregated(package.lineNumbers.map { Int($0) }, of: request, quantities),
          carrier: package.carrier,
          trackingNumber: package.trackingNumber, trackingLink: package.trackingLink)
      }, items: try items(numbers, of: request, status: Self.shipped))
  }

  private func declinedMessage(
    _ request: ShipmentRequest, _ numbers: [Int], _ quantities: [Int: Decimal]
  ) throws -> Magento.Oms.V1.LinesDeclined {
    .init(
      requestId: request.requestID, itemsCollection: try items(numbers, of: request, status: Self.declined),
      items: numbers.map { Int32(clamping: $0) }, aggregatedItems: aggregated(numbers, of: request, quantities))
  }

  private func statusMessage(_ request: inout ShipmentRequest) throws -> Magento.Oms.V1.LinesChangeStatus {
    var changed: [Magento.Oms.V1.ShipmentItem] = []
    for status in statuses {
      changed += try items([Int(status.lineNumber)], of: request, status: status.status, reason: status.reason)
      for index in request.lines.indices where request.lines[index].number == Int(status.lineNumber) {
        request.lines[index].status = status.status
      }
    }
    return .init(shipmentRequestId: request.requestID, items: changed, user: user)
  }
}
