import Commerce
import EventLoop
import HTTP
import Messages

@testable import Inventory

/// A shop with multi-source inventory, one source `berlin` for the website `base`, and these products. Bulk jobs run when the test
/// says so.
final class PushedShop: Sendable {
  struct State {
    /// By SKU, of the source.
    var quantities: [String: String] = [:]
    /// The bodies that were taken as jobs; the first is `job-1`.
    var jobs: [String] = []
    /// Of a body with such a SKU nothing is kept.
    var loses: @Sendable (String) -> Bool = { _ in false }
    /// Of an operation of a job, by its id: 4 until it ran.
    var statuses: [String: Int] = [:]
  }

  private let state: SharedState
  let shop: ScriptedShop
  var client: CommerceClient { shop.client }
  /// The paths and numbers of rows of what was written.
  var writes: [String] {
    shop.requests.filter { $0.method == "POST" }.map { "\($0.route.split(separator: "/")[0]) \($0.skus.count)" }
  }

  /// - Parameter answer: what is answered in place of what the shop would, after it has done what it was asked.
  init(
    _ skus: [String], _ answer: @escaping @Sendable (ScriptedShop.Request) -> HTTPResponse? = { _ in nil }
  ) throws {
    let state = SharedState()
    self.state = state
    shop = try ScriptedShop { request in
      let usual = state.answer(request, skus)
      return answer(request) ?? usual
    }
  }

  /// Somebody writes a quantity of the source; nil: takes it away.
  func change(_ sku: String, _ quantity: String?) { state.lock.withLock { $0.quantities[sku] = quantity } }

  func quantity(_ sku: String) -> String? { state.lock.withLock { $0.quantities[sku] } }

  /// Lets a job run, as it was sent.
  func run(_ job: Int) {
    state.lock.withLock { state in
      SharedState.write(state.jobs[job - 1], &state)
      state.statuses["job-\(job)"] = 1
    }
  }

  /// Of a body with such a SKU nothing is kept.
  func loses(_ sku: @escaping @Sendable (String) -> Bool) { state.lock.withLock { $0.loses = sku } }

  func setStatus(_ job: Int, _ status: Int) { state.lock.withLock { $0.statuses["job-\(job)"] = status } }
  func stop() async { await shop.stop() }
}

private final class SharedState: Sendable {
  let lock = Lock(PushedShop.State())

  func answer(_ request: ScriptedShop.Request, _ skus: [String]) -> HTTPResponse {
    switch (request.method, request.route) {
    case ("GET", "V1/modules"): .json(#"["Magento_InventoryApi"]"#)
    case ("GET", "V1/store/websites"): .json(#"[{"id":0,"code":"admin"},{"id":1,"code":"base"}]"#)
    case ("GET", "V1/inventory/sources"): .json(#"{"items":[{"source_code":"berlin"}],"total_count":1}"#)
    case ("GET", "V1/inventory/stocks"):
      .json(
        #"{"items":[{"stock_id":2,"extension_attributes":{"sales_channels":[{"type":"website","code":"base"}]}}],"total_count":1}"#
      )
    case ("GET", "V1/inventory/stock-source-links"):
      .json(#"{"items":[{"stock_id":2,"source_code":"berlin"}],"total_count":1}"#)
    case ("GET", "V1/products"): Self.products(skus)
    case ("GET", "V1/inventory/source-items"): lock.withLock { Self.sourceItems($0) }
    case ("POST", "V1/inventory/source-items"):
      lock.withLock { state in
        Self.write(request.body, &state)
        return .json("[]")
      }
    case ("POST", "async/V1/inventory/source-items"):
      lock.withLock { state in
        state.jobs.append(request.body)
        state.statuses["job-\(state.jobs.count)"] = 4
        return .json(status: 202, #"{"bulk_uuid":"job-\#(state.jobs.count)","request_items":[],"errors":false}"#)
      }
    case ("GET", let route) where route.hasPrefix("V1/bulk/"):
      if let status = lock.withLock({ $0.statuses[String(route.split(separator: "/")[2])] }) {
        .json(#"{"operations_list":[{"id":0,"status":\#(status),"result_message":"as the test says"}]}"#)
      } else {
        .json(status: 404, #"{"message":"no such bulk job"}"#)
      }
    default: .json(status: 404, #"{"message":"no route"}"#)
    }
  }

  static func write(_ body: String, _ state: inout PushedShop.State) {
    let items = (try? JSONDocument(parsing: Array(body.utf8)))?.root["sourceItems"]?.elements ?? []
    if items.contains(where: { state.loses($0["sku"]?.string ?? "") }) { return }
    for item in items {
      let sku = item["sku"]?.string ?? ""
      state.quantities[sku] = item["quantity"].map { $0.string ?? $0.text }
    }
  }

  /// Whatever is searched for: more than was asked for does no harm.
  private static func sourceItems(_ state: PushedShop.State) -> HTTPResponse {
    let items = state.quantities.map { sku, quantity in
      #"{"sku":"\#(sku)","source_code":"berlin","quantity":\#(quantity),"status":\#(quantity == "0" ? 0 : 1)}"#
    }
    return .json(#"{"items":[\#(items.joined(separator: ","))],"total_count":\#(items.count)}"#)
  }

  private static func products(_ skus: [String]) -> HTTPResponse {
    let items = skus.enumerated().map { #"{"id":\#($0 + 1),"sku":"\#($1)","type_id":"simple"}"# }
    return .json(#"{"items":[\#(items.joined(separator: ","))],"total_count":\#(items.count)}"#)
  }
}
