import Messages

/// Prints a list page by page, so that a million SKUs are never in memory: one table whose columns only ever widen, or
/// one ListStockResponse.
struct StockListPrinter {
  let session: Session
  let aggregate: String
  private var widths: [Int]?
  private var isEmpty = true

  init(session: Session, aggregate: String) {
    self.session = session
    self.aggregate = aggregate
  }

  mutating func add(_ stock: [Omsconnector.V1.Stock]) {
    switch session.format {
    case .json:
      for row in stock {
        session.console.print((isEmpty ? "{\"stock\":[" : ",\n") + row.json(writesDefaults: true))
        isEmpty = false
      }
    case .table:
      let table = StockTable.of(stock)
      session.console.print(
        table.render(bold: session.console.isTerminal, heading: widths == nil, minimumWidths: widths ?? []))
      widths = table.widths(atLeast: widths ?? [])
      isEmpty = isEmpty && stock.isEmpty
    }
  }

  func finish(nextPageToken: String) {
    switch session.format {
    case .json:
      session.console.print(
        (isEmpty ? "{\"stock\":[" : "") + "],\"next_page_token\":\(JSONText.quoted(nextPageToken))}\n")
    case .table:
      if isEmpty {
        session.console.complain(
          "no snapshot has named a SKU of aggregate \(JSONText.quoted(aggregate)) yet; check the spelling, upper and lower case "
            + "included")
      }
      if !nextPageToken.isEmpty { session.console.complain("there are more; raise --limit to see them") }
    }
  }
}
