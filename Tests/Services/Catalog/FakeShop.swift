import Commerce
import EventLoop
import Glibc
import HTTP
import ServiceKit
import TestSupport

/// A shop of simple products that answers what the connector asks for, and fails when a test says so.
final class FakeShop: Sendable {
  struct State {
    /// Id → JSON of the product, beside id and sku.
    var products: [Int64: String] = [:]
    var requests: [String] = []
    /// After so many pages the shop is away; nil for never.
    var pagesLeft: Int?
    /// Pages that it has not answered.
    var failures = 0
    /// After the first failure it answers once this can be read.
    var gate: Int32?
    var views = #"[{"id": 1, "code": "default", "website_id": 1, "is_active": 1}]"#
    /// Ids that it can't show.
    var broken: Set<Int64> = []
    /// Store view → id → name.
    var names: [String: [Int64: String]] = [:]
    var attributes: [String: String] = [:]
  }

  final class SharedState: Sendable {
    private let state = Lock(State())

    func withLock<R: Sendable>(_ body: (inout State) -> R) -> R { state.withLock { body(&$0) } }

    func waitForGate() {
      guard let gate = withLock({ $0.failures > 0 ? $0.gate : nil }) else { return }
      var byte: UInt8 = 0
      _ = read(gate, &byte, 1)
    }
  }

  let state: SharedState
  private let server: QueryServer
  let client: CommerceClient

  init() throws {
    let state = SharedState()
    self.state = state
    server = try QueryServer(prepare: state.waitForGate) { target in
      let response = state.withLock { $0.answer(target) }
      return (response.status, String(decoding: response.body, as: UTF8.self))
    }
    var options = CommerceClient.Options()
    options.firstPause = .milliseconds(1)
    options.readTries = 1
    client = CommerceClient(
      url: "http://127.0.0.1:\(server.port)/", credentials: .bearer(Secret("secret")), options: options)
  }

  /// Ends the thread.
  func stop() { server.stop() }

  func shop(_ mapping: Mapping) -> Shop { Shop(client: client, mapping: mapping) }

  func put(_ ids: ClosedRange<Int64>, sku: (Int64) -> String = { "P-\($0)" }) {
    state.withLock { state in
      for id in ids {
        state.products[id] =
          #"{"id":\#(id),"sku":"\#(sku(id))","name":"Product \#(id)","type_id":"simple","status":1,"price":10}"#
      }
    }
  }
}

extension FakeShop.State {
  mutating func answer(_ target: String) -> HTTPResponse {
    requests.append(target)
    let path = target.prefix { $0 != "?" }
    if path.hasSuffix("/V1/store/websites") {
      return .json(#"[{"id": 0, "code": "admin"}, {"id": 1, "code": "base"}]"#)
    }
    if path.hasSuffix("/V1/store/storeViews") { return .json(views) }
    if path.hasSuffix("/V1/store/storeConfigs") {
      return .json(#"[{"id": 1, "code": "default", "website_id": 1, "locale": "en_US", "base_currency_code": "EUR"}]"#)
    }
    if let code = path.range(of: "/products/attributes/") {
      return attributes[String(path[code.upperBound...])].map { .json($0) }
        ?? .json(status: 404, #"{"message":"none"}"#)
    }
    guard path.hasSuffix("/V1/products") else { return .json(status: 404, #"{"message":"no such route"}"#) }
    return page(target, store: String(path.split(separator: "/")[1]))
  }

  private mutating func page(_ target: String, store: String) -> HTTPResponse {
    let isPage = !Self.parameters(target, "condition_type").contains { $0 == "in" || $0 == "eq" }
    if isPage, let left = pagesLeft {
      if left == 0 {
        failures += 1
        return .json(status: 503, #"{"message":"away"}"#)
      }
      pagesLeft = left - 1
    }
    var (after, last): (Int64, Int64) = (0, .max)
    var without: Set<Int64> = []
    var among: Set<Int64>?
    var skus: Set<String>?
    for (index, condition) in Self.parameters(target, "condition_type").enumerated() {
      let value = Self.parameters(target, "value")[index]
      switch condition {
      case "gt": after = Int64(value) ?? 0
      case "lteq" where Self.parameters(target, "field")[index] == "entity_id": last = Int64(value) ?? 0
      case "nin": without = Set(value.split(separator: ",").compactMap { Int64($0) })
      default: break
      }
      guard condition == "in" || condition == "eq" else { continue }
      if Self.parameters(target, "field")[index] == "sku" {
        let asked = condition == "eq" ? [value[...]] : value.split(separator: ",")
        skus = Set(asked.map { #","sku":"\#($0)","# })
      } else {
        among = Set(value.split(separator: ",").compactMap { Int64($0) })
      }
    }
    let size = Self.parameters(target, "pageSize").first.flatMap { Int($0) } ?? 20
    let found = products.filter { id, product in
      id > after && id <= last && !without.contains(id) && among?.contains(id) != false
        && skus?.contains { product.contains($0) } != false
    }.keys.sorted()
    if !broken.isDisjoint(with: found.prefix(size)) { return .json(status: 500, #"{"message":"Report ID: webapi-1"}"#) }
    let items = found.prefix(size).map { id in
      names[store]?[id].map { #"{"id":\#(id),"name":"\#($0)"}"# } ?? products[id] ?? ""
    }
    return .json(#"{"items":[\#(items.joined(separator: ","))],"total_count":\#(found.count)}"#)
  }

  private static func parameters(_ target: String, _ name: String) -> [String] {
    QueryServer.parameters(target, "[\(name)]")
  }
}

extension StringProtocol {
  /// Foundation's, of which only this is needed.
  fileprivate func range(of part: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
      start = index(after: start)
    }
    return nil
  }
}
