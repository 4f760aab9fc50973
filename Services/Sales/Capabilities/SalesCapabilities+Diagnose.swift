import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What a look at the shop finds, each with its remedy.
extension SalesCapabilities {
  typealias Finding = Omsconnector.V1.Finding

  /// Seconds that the shop's clock may be ahead of ours.
  static let clockTolerance: Int64 = 60

  func diagnose(
    _ request: Omsconnector.Internal.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiagnoseResponse {
    do {
      return .init(findings: try await storeFindings() + [paymentFinding()] + shopFindings() + [catalogFinding()])
    } catch {
      throw RPCError(sales: error)
    }
  }

  // MARK: The store

  private func storeFindings() async throws -> [Finding] {
    let store = store
    let (counts, unmapped, attention) = try await store.database.read { connection in
      (try store.counts(connection), try store.unmappedMethods(connection), try store.attentionCount(connection))
    }
    let troubled = (counts[.failed] ?? 0) + (counts[.unconfirmed] ?? 0) + attention
    let orders = Finding(
      check: "orders", level: troubled == 0 ? .ok : .error,
      message: troubled == 0
        ? "no order needs an operator; \(counts[.held] ?? 0) wait"
        : "\(counts[.failed] ?? 0) orders were refused by the OMS, \(counts[.unconfirmed] ?? 0) not confirmed, and "
          + "\(attention) could not be brought up to date in the shop",
      remedy: troubled == 0 ? "" : "see omsctl orders list --attention")
    guard !unmapped.isEmpty else {
      return [orders, .init(check: "mapped-methods", level: .ok, message: "no order waits for an unmapped method")]
    }
    let methods = unmapped.map { method in
      let parts = method.reason.split(separator: "; ", maxSplits: 1)
      return Finding(
        check: "mapped-methods", level: .error, message: "\(parts[0]); \(method.orders) orders wait for it",
        remedy: parts.count > 1 ? "\(parts[1]), and start the services again" : "")
    }
    return [orders] + methods
  }

  /// The OMS waits for the outcome of each, and says nothing of it.
  private func paymentFinding() async throws -> Finding {
    let (check, store) = ("payment-commands-stuck", store)
    let (count, first) = try await store.database.read { connection in
      (try store.stuckPaymentCount(connection), try store.stuckPayments(connection, limit: Self.paymentsNamed))
    }
    if count == 0 { return .init(check: check, level: .ok, message: "no payment command of the OMS is stuck") }
    let named = first.map { "\($0.command) of order \(quotable($0.incrementID)): \($0.reason)" }
    return .init(
      check: check, level: .error,
      message: "\(count) payment commands of the OMS are not carried out: \(named.joined(separator: "; "))"
        + (count > named.count ? "; and others" : ""),
      remedy:
        "without an integration set SALES_PAYMENTS_URL and start the sales service again, which takes up all; with one see "
        + "what it answers, then omsctl orders resume ORDER for each (omsctl orders list --attention)")
  }

  /// Payment commands that a finding names.
  static let paymentsNamed = 5

  // MARK: The shop

  private func shopFindings() async throws -> [Finding] {
    guard let client = shop.client else {
      return [
        .init(
          check: "shop-orders", level: .warning, message: "there is no shop, so no order is read",
          remedy: "set COMMERCE_URL and COMMERCE_TOKEN")
      ]
    }
    var findings: [Finding] = []
    for (route, right) in [
      ("V1/orders", "Sales > Operations > Orders"), ("V1/invoices", "Sales > Operations > Invoices"),
      ("V1/shipments", "Sales > Operations > Shipments"), ("V1/transactions", "Sales > Transactions"),
    ] {
      findings.append(await reading(route, right, client))
    }
    if let poll { findings += try await poll.findings("order-polling", of: "orders") }
    findings += await clock(client)
    findings += await statuses(client)
    findings += await websites(client)
    return findings
  }

  private func reading(_ route: String, _ right: String, _ client: CommerceClient) async -> Finding {
    let check = "shop-\(route.dropFirst(3))"
    var criteria = SearchCriteria()
    criteria.pageSize = 1
    do {
      _ = try await client.getJSON(route, criteria.query)
      return .init(check: check, level: .ok, message: "\(route) can be read")
    } catch let error as CommerceError where error.kind == .unauthorized {
      return .init(
        check: check, level: .error, message: "\(error)",
        remedy: "give the integration the resource \(right), or check COMMERCE_TOKEN")
    } catch {
      return .init(check: check, level: .error, message: "\(error)", remedy: "check COMMERCE_URL and the shop")
    }
  }

  /// The shop writes its own time into what it changes: what lies ahead of us would be read too late.
  private func clock(_ client: CommerceClient) async -> [Finding] {
    var criteria = SearchCriteria().sorted(by: "updated_at", ascending: false)
    criteria.pageSize = 1
    guard let page = await found(client, criteria), let newest = page["items"]?.elements?.first,
      let changed = newest["updated_at"]?.string.flatMap({ ShopTime.seconds($0) })
    else { return [] }
    let ahead = changed - WallClock.nanoseconds() / 1_000_000_000
    guard ahead > Self.clockTolerance else {
      return [.init(check: "shop-clock", level: .ok, message: "the shop's clock is not ahead of ours")]
    }
    return [
      .init(
        check: "shop-clock", level: .error,
        message: "the shop's clock is \(ahead) s ahead of ours: changes are read that much later",
        remedy: "let both machines set their clocks by NTP")
    ]
  }

  /// REST lists no statuses; whether they are there is seen from orders that have one.
  private func statuses(_ client: CommerceClient) async -> [Finding] {
    let store = store
    do {
      guard try await store.database.read({ try store.counts($0)[.accepted] ?? 0 }) > 0 else { return [] }
    } catch {
      return [.init(check: "order-statuses", level: .warning, message: "the store can't be read: \(error)")]
    }
    var criteria = SearchCriteria().where("status", .in, OrderStatus.shopStatuses.joined(separator: ","))
    criteria.pageSize = 1
    guard let page = await found(client, criteria) else { return [] }
    guard page["items"]?.elements?.isEmpty ?? true else {
      return [.init(check: "order-statuses", level: .ok, message: "orders of the shop have the OMS's statuses")]
    }
    return [
      .init(
        check: "order-statuses", level: .warning,
        message: "the OMS has orders, and none of the shop has one of its statuses",
        remedy:
          "make the statuses \(OrderStatus.shopStatuses.joined(separator: ", ")) in the shop, and assign each to the states "
          + "new and processing; without them comments tell the OMS's status")
    ]
  }

  private func websites(_ client: CommerceClient) async -> [Finding] {
    do {
      let codes = try await ShopSetUp.websiteCodes(client)
      let mapped = shop.mapping.websites
      var findings = codes.filter { mapped[$0] == nil }.map { code in
        Finding(
          check: "websites", level: .warning, message: "website \"\(code)\" has no sales channel: its orders wait",
          remedy: "add website \(code) = CHANNEL to COMMERCE_MAPPING_FILE")
      }
      findings += mapped.keys.filter { !codes.contains($0) }.sorted().map { code in
        Finding(
          check: "websites", level: .error,
          message: "the mapping file names website \"\(code)\", which the shop has not",
          remedy: "write one of \(codes.joined(separator: ", ")) in COMMERCE_MAPPING_FILE")
      }
      return findings.isEmpty
        ? [.init(check: "websites", level: .ok, message: "all websites have a sales channel")] : findings
    } catch {
      return [
        .init(
          check: "websites", level: .error, message: "\(error)",
          remedy: "give the integration the resource Stores > Settings > All Stores")
      ]
    }
  }

  /// nil when the orders can't be read, of which another finding tells.
  private func found(_ client: CommerceClient, _ criteria: SearchCriteria) async -> JSONValue? {
    do {
      return try await client.getJSON("V1/orders", criteria.query).root
    } catch {
      Log.debug("orders can't be looked for", ["reason": LogValue(error)])
      return nil
    }
  }

  // MARK: The catalog

  private func catalogFinding() async -> Finding {
    let wanted = Set(shop.mapping.shipping.values.map(\.sku)).union(shop.mapping.services.values)
    do {
      let missing = wanted.subtracting(try await catalog(productIDs: [], skus: wanted).exportedSKUs).sorted()
      guard !missing.isEmpty else {
        return .init(
          check: "catalog", level: .ok, message: "the OMS has all \(wanted.count) shipping methods and services")
      }
      return .init(
        check: "catalog", level: .warning,
        message: "the OMS has not got \(missing.joined(separator: ", ")) yet: orders with them wait",
        remedy: "wait for the catalog service to export them, or see its log")
    } catch {
      return .init(
        check: "catalog", level: .error, message: "the catalog service does not answer: \(error)",
        remedy: "start it, or correct CATALOG_TARGET; orders wait meanwhile")
    }
  }
}
