import Messages
import ServiceKit
import Stubs

/// `omsctl catalog held [apply|keep SKU… | --all]`
struct CatalogHeldCommand: Command {
  static let path = ["catalog", "held"]
  static let arguments = "[apply|keep SKU… | --all]"
  static let summary = "products that seem to be gone and wait for you: shows them, or decides"
  static let details = """
    Products that are gone from the shop become INACTIVE by themselves, unless they are more than a fifth of the catalog within
    a day, or have other SKUs in the shop now: then the shop may be another one. Compare COMMERCE_URL first.

    apply  makes them INACTIVE, but for those that the shop has after all
    keep   leaves them as they are; what is missing in the next reading of the whole catalog waits again
    --all  decides about all that wait

    """
  static let completedArguments = ["apply", "keep"]
  static let flags: Set<String> = ["all"]

  /// SKUs in one request, and products on one page.
  static let perRequest = 1_000

  private enum Action {
    case show
    case decide(apply: Bool, skus: [String]?)
  }

  private let action: Action

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    guard let word = words.first else {
      guard !flags.contains("all") else { throw UsageError("--all goes with apply or keep") }
      action = .show
      return
    }
    guard ["apply", "keep"].contains(word) else { throw UsageError("\"\(word)\" is neither apply nor keep") }
    guard flags.contains("all") == (words.count == 1) else {
      throw UsageError("catalog held \(word) takes either --all or SKUs; omsctl catalog held shows them")
    }
    action = .decide(apply: word == "apply", skus: flags.contains("all") ? nil : Array(words.dropFirst()))
  }

  /// The shop is asked for each once more.
  let defaultTimeout = Duration.seconds(600)

  func run(in session: Session) async throws -> Int32 {
    switch action {
    case .show: try await show(session)
    case .decide(let apply, let skus?): try await decide(apply, skus, session)
    case .decide(let apply, nil): try await decide(apply, try await held(session).heldProducts.map(\.sku), session)
    }
  }

  private func held(_ session: Session) async throws -> Omsconnector.V1.ListHeldProductsResponse {
    let (products, _) = try await PageTokens.collect(pageSize: Self.perRequest, of: "the service") { size, token in
      let page = try await session.channel.unary(
        Omsconnector.V1.CatalogServiceMethods.listHeldProducts, .init(pageSize: size, pageToken: token),
        options: session.options)
      return (page.heldProducts, page.nextPageToken)
    }
    return .init(heldProducts: products)
  }

  private func show(_ session: Session) async throws -> Int32 {
    let all = try await held(session)
    switch session.format {
    case .json: session.console.print(all.json(writesDefaults: true) + "\n")
    case .table:
      session.console.print(Self.table(all.heldProducts))
      if !all.heldProducts.isEmpty {
        session.console.print("\ndecide: omsctl catalog held apply SKU…, keep SKU…, or either with --all\n")
      }
    }
    return 0
  }

  private func decide(_ apply: Bool, _ skus: [String], _ session: Session) async throws -> Int32 {
    var total = Omsconnector.V1.DecideHeldProductsResponse()
    for start in stride(from: 0, to: skus.count, by: Self.perRequest) {
      let part = Array(skus[start..<min(start + Self.perRequest, skus.count)])
      let answer = try await session.channel.unary(
        Omsconnector.V1.CatalogServiceMethods.decideHeldProducts, .init(skus: part, apply: apply),
        options: session.options)
      total.deactivated += answer.deactivated
      total.kept += answer.kept
    }
    switch session.format {
    case .json: session.console.print(total.json(writesDefaults: true) + "\n")
    case .table:
      var table = Table(.right("INACTIVE"), .right("KEPT"))
      table.add("\(total.deactivated)", "\(total.kept)")
      session.console.print(table)
    }
    return 0
  }

  private static func table(_ held: [Omsconnector.V1.HeldProduct]) -> Table {
    var table = Table(.left("SKU"), .right("ID"), .left("NAME"), .left("WHY"), .right("WAITS"))
    for one in held {
      table.add(
        one.sku, String(one.productId), MessageTable.cut(one.name, 60),
        one.reason == .renamed ? "renamed to \(one.newSku)" : "missing in the shop", Age.text(one.heldAt))
    }
    return table
  }
}
