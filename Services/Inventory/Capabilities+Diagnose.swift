import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

extension InventoryCapabilities {
  func diagnose(
    _ request: Omsconnector.Internal.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiagnoseResponse {
    do {
      var findings = try await ownFindings()
      findings += await shopFindings()
      return .init(findings: findings)
    } catch {
      throw RPCError(inventory: error)
    }
  }

  // MARK: The store

  private func ownFindings() async throws -> [V1.Finding] {
    let lately = WallClock.nanoseconds() - Self.lately
    let (statuses, held, conflicts, changes) = try await database.read { connection in
      (
        try PushQueue.statuses(connection), try HeldSnapshots.count(connection),
        try ManagedStock.conflicts(limit: Self.named + 1, connection),
        try ChangedStock.summaries(since: lately, examples: Self.named, connection)
      )
    }
    var findings: [V1.Finding] = []
    let unmapped = statuses.filter { push.targets[$0.aggregateId] == nil && $0.skus > 0 }.map(\.aggregateId)
    findings.append(
      .init(
        check: "aggregates-mapped", level: unmapped.isEmpty ? .ok : .warning,
        message: unmapped.isEmpty
          ? "all aggregates that the OMS has told of go to a website"
          : "aggregates without a website: \(Self.list(unmapped)); their stock goes nowhere",
        remedy: unmapped.isEmpty ? "" : "add to COMMERCE_MAPPING_FILE: aggregate \(unmapped[0]) = WEBSITE"))
    findings.append(
      .init(
        check: "stock-unlimited", level: conflicts.isEmpty ? .ok : .warning,
        message: conflicts.isEmpty
          ? "no SKU is unlimited in one aggregate and limited in another"
          : "unlimited in one aggregate and limited in another: \(Self.list(conflicts)); the shop has one switch per product, "
            + "so their stock is counted",
        remedy: conflicts.isEmpty ? "" : "make them alike at the OMS"))
    findings.append(
      .init(
        check: "stock-held", level: held == 0 ? .ok : .warning,
        message: held == 0 ? "no snapshot waits for the operator" : "\(held) snapshots wait for the operator",
        remedy: held == 0 ? "" : "omsctl stock held"))
    findings += Self.findings(changes, failure: push.check?.failure)
    // What can be ended is, after half of that.
    let longAgo = WallClock.nanoseconds() - NonzeroRun.idleTime
    findings += try await StockStore(database).idleRuns(now: longAgo).map(Self.finding)
    return findings + statuses.flatMap(Self.findings)
  }

  private static func finding(_ run: IdleRun) -> V1.Finding {
    .init(
      check: "stock-nonzero", level: .warning,
      message: "aggregate \(run.aggregateId): what the NONZERO of \(Google.Protobuf.Timestamp(run.createdOn).text) "
        + "leaves out is not set to 0, since a part of it waits or has failed",
      remedy: "omsctl journal list --key \(run.aggregateId) --status ERROR: replay or discard it; and omsctl stock held"
    )
  }

  /// How pushing an aggregate goes, where it doesn't go well.
  static func findings(_ status: PushStatus) -> [V1.Finding] {
    func finding(_ level: V1.FindingLevel, _ message: String, _ remedy: String = "omsctl aggregates") -> V1.Finding {
      .init(
        check: "stock-push", level: level, message: "aggregate \(status.aggregateId): \(message)", remedy: remedy)
    }
    var findings: [V1.Finding] = []
    if !status.lostJob.isEmpty {
      findings.append(
        finding(
          .warning, status.lostJob,
          "let the integration read bulk jobs, and the shop's consumer async.operations.all run"))
    }
    if !status.lastError.isEmpty { findings.append(finding(.error, status.lastError)) }
    if status.failed > 0 {
      let named = status.refused.isEmpty ? "" : ", such as \(status.refused)"
      findings.append(finding(.warning, "the shop refuses \(status.failed) SKUs\(named)"))
    }
    return findings
  }

  // MARK: The shop

  private func shopFindings() async -> [V1.Finding] {
    guard let reader = push.inventory else {
      return [
        .init(
          check: "stock-shop", level: .warning, message: "there is no shop to push stock to",
          remedy: "set COMMERCE_URL and COMMERCE_TOKEN")
      ]
    }
    do {
      await reader.forget()
      return Self.findings(push.targets, try await reader.current()) + [Self.finding(push.limits)]
    } catch {
      return [
        .init(
          check: "stock-shop", level: .error, message: "the shop's inventory can't be read: \(error)",
          remedy: "let the integration read modules, sources, stocks and their links")
      ]
    }
  }

  /// What the mapping file says against what the shop has.
  static func findings(_ targets: [String: PushTarget], _ shop: ShopInventory) -> [V1.Finding] {
    var findings = [
      V1.Finding(
        check: "stock-msi", level: .ok,
        message: shop.hasSources
          ? "multi-source inventory is on: stock goes to \(shop.sources.count) sources at most"
          : "multi-source inventory is off: a product has one quantity")
    ]
    for (id, target) in targets.sorted(by: { $0.key < $1.key }) {
      do throws(PushProblem) {
        _ = try PushRoute(id, of: targets, in: shop)
      } catch {
        findings.append(
          .init(check: "stock-target", level: .error, message: error.description, remedy: "correct the mapping file"))
        continue
      }
      if let source = target.source, !shop.hasSources {
        findings.append(
          .init(
            check: "stock-target", level: .warning,
            message:
              "aggregate \(id) names source \(source), but multi-source inventory is off: it goes to the products",
            remedy: "take source=\(source) out of the mapping file, or switch multi-source inventory on"))
      }
      guard shop.hasSources else { continue }
      if let stock = shop.stock(of: target.website) {
        if stock == ShopInventory.defaultStock {
          findings.append(
            .init(
              check: "default-stock", level: .warning,
              message: "website \(target.website) still sells from the default stock",
              remedy: "give it a stock of its own with source \(target.sourceCode)"))
        }
        if !(shop.sourcesOfStock[stock]?.contains(target.sourceCode) ?? false) {
          findings.append(
            .init(
              check: "stock-target", level: .error,
              message:
                "source \(target.sourceCode) of aggregate \(id) is not among those of website \(target.website)'s stock \(stock)",
              remedy: "assign the source to the stock, or name another: aggregate \(id) = \(target.website) source=CODE"
            ))
        }
      } else {
        findings.append(
          .init(
            check: "stock-target", level: .error,
            message: "no stock of the shop sells on website \(target.website), to which aggregate \(id) goes",
            remedy: "correct the website's code in the mapping file, or give the website a stock"))
      }
    }
    return findings + unmapped(targets, shop)
  }

  /// Websites that no aggregate goes to and that sell from what the shop itself counts.
  private static func unmapped(_ targets: [String: PushTarget], _ shop: ShopInventory) -> [V1.Finding] {
    // A website that is given no stock has the default one.
    let others = shop.websites.filter { $0.key != ShopInventory.defaultStock }.flatMap(\.value)
    let left = shop.allWebsites.subtracting(targets.values.map(\.website)).subtracting(others).sorted()
    guard let first = left.first else { return [] }
    return [
      .init(
        check: "default-stock", level: .warning,
        message: "websites that still sell from the default stock, which the OMS does not know: \(list(left))",
        remedy: "give each a stock and a source, and add to the mapping file: aggregate ID = \(first) source=CODE")
    ]
  }

  /// What the shop takes at once, as far as pushing has found out (magento-rules.md §4, "Input limits"). No route tells it.
  static func finding(_ limits: PushLimits) -> V1.Finding {
    let usual = PushLimits()
    let (rows, bulk) = (limits.rows, limits.asynchronousRows)
    var message = "stock goes in bodies of \(rows) SKUs"
    message +=
      limits.hasBulk ? ", and from \(PushLimits.bulkFrom) on in bulk jobs of \(bulk)" : "; bulk jobs can't be used"
    guard rows < usual.rows || bulk < usual.asynchronousRows || !limits.hasBulk else {
      return .init(
        check: "shop-body-limit", level: .ok, message: "\(message); the shop has not refused any as too large")
    }
    let remedy =
      limits.hasBulk
      ? "nothing, if it keeps up; else raise Stores → Configuration → Services → Web Api Limits → Input List Limit"
      : "let the integration read bulk jobs, run the shop's consumer async.operations.all, and restart this service"
    // 20 is what every shop since 2.4.3 begins with, and bulk jobs make up for it.
    let isUsual = limits.hasBulk && rows >= 20 && bulk == usual.asynchronousRows
    return .init(
      check: "shop-body-limit", level: isUsual ? .ok : .warning, message: "\(message), as the shop takes no more",
      remedy: remedy)
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(named).map { quotable($0) }.joined(separator: ", ") + (names.count > named ? " and more" : "")
  }
}
