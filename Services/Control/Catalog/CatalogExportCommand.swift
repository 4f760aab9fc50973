import Messages
import RPC
import Stubs

/// `omsctl catalog export --full | SKU…`
struct CatalogExportCommand: Command {
  static let path = ["catalog", "export"]
  static let arguments = "--full | SKU…"
  static let summary = "tells the OMS of the shop's products: all, or by SKU"
  static let details = """
    --full  sends the whole catalog, changed or not, and makes INACTIVE what the shop does not have any more

    A full export goes on when this command is ended; the same command then shows how far it is. Named products are sent when
    something that the OMS reads has changed; those that are gone from the shop become INACTIVE.

    """
  static let flags: Set<String> = ["full"]

  /// SKUs in one request.
  static let skusPerRequest = 1_000

  private let skus: [String]

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    guard flags.contains("full") == words.isEmpty else {
      throw UsageError("catalog export takes either --full or SKUs; see omsctl catalog export --help")
    }
    skus = words
  }

  /// A large shop answers some thousand products a minute.
  var defaultTimeout: Duration { skus.isEmpty ? .seconds(86_400) : .seconds(600) }

  func run(in session: Session) async throws -> Int32 {
    skus.isEmpty ? try await exportAll(session) : try await export(session)
  }

  private func export(_ session: Session) async throws -> Int32 {
    var total = Omsconnector.V1.UpsertProductsResponse()
    for start in stride(from: 0, to: skus.count, by: Self.skusPerRequest) {
      let answer = try await session.channel.unary(
        Omsconnector.V1.CatalogServiceMethods.upsertProducts,
        .init(skus: Array(skus[start..<min(start + Self.skusPerRequest, skus.count)])), options: session.options)
      total.exported += answer.exported
      total.unchanged += answer.unchanged
      total.deactivated += answer.deactivated
      total.issues += answer.issues.map { .init(sku: $0.sku, place: $0.place + Int64(start), reason: $0.reason) }
    }
    switch session.format {
    case .json: session.console.print(total.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(.right("EXPORTED"), .right("UNCHANGED"), .right("INACTIVE"), .right("FAILED"))
      table.add("\(total.exported)", "\(total.unchanged)", "\(total.deactivated)", "\(total.issues.count)")
      session.console.print(table)
      if !total.issues.isEmpty { session.console.print(ProductTable.of(total.issues, place: "PLACE")) }
    }
    return total.issues.isEmpty ? 0 : 1
  }

  private func exportAll(_ session: Session) async throws -> Int32 {
    var bar = ProgressBar(session.console, unit: "products")
    defer { bar.end() }
    var last = Omsconnector.V1.ExportFullCatalogResponse()
    var reason = ""
    do {
      let answers = try await session.channel.serverStreaming(
        Omsconnector.V1.CatalogServiceMethods.exportFullCatalog, .init(), options: session.options)
      for try await answer in answers {
        last = answer
        if answer.state == .waiting, answer.reason != reason {
          bar.end()
          session.console.complain("waiting: \(answer.reason)")
        }
        reason = answer.reason
        if answer.total > 0 { bar.show(answer.read, of: answer.total) }
      }
    } catch {
      bar.end()
      if last.run > 0 {
        session.console.complain("the export goes on without this command; the same command shows how far it is")
      }
      throw error
    }
    bar.end()
    return show(last, session)
  }

  private func show(_ last: Omsconnector.V1.ExportFullCatalogResponse, _ session: Session) -> Int32 {
    switch session.format {
    case .json: session.console.print(last.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(.right("RUN"), .right("READ"), .right("EXPORTED"), .right("INACTIVE"), .right("FAILED"))
      table.add("\(last.run)", "\(last.read)", "\(last.exported)", "\(last.deactivated)", "\(last.failed)")
      session.console.print(table)
      if !last.issues.isEmpty { session.console.print(ProductTable.of(last.issues, place: "PLACE")) }
      if !last.reason.isEmpty { session.console.complain(last.reason) }
    }
    return last.state == .done && last.failed == 0 && last.reason.isEmpty ? 0 : 1
  }
}
