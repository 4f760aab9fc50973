import Commerce
import Messages
import RPC
import ServiceKit

extension CatalogCapabilities {
  private typealias Finding = Omsconnector.V1.Finding

  func diagnose(
    _ request: Omsconnector.Internal.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiagnoseResponse {
    guard let intake else {
      return .init(findings: [
        Finding(
          check: "shop-address", level: .warning, message: "the catalog has no shop: nothing is exported",
          remedy: "set COMMERCE_URL and COMMERCE_TOKEN of the catalog service")
      ])
    }
    var findings = [await setUp(intake), await products(intake), limits(intake)]
    do {
      if let poll { findings += try await poll.findings("catalog-polling", of: "products") }
    } catch {
      throw RPCError(catalog: error)
    }
    do {
      let facts = try await intake.reader.facts.current()
      findings.append(websites(facts))
      if facts.currency.isEmpty { findings.append(noCurrency) }
    } catch {
      // That the set-up can't be read is among the findings already.
      Log.debug("the shop's set-up can't be read", ["reason": LogValue(error)])
    }
    findings += await attributes(intake)
    do {
      let held = try await store.database.read { try HeldProduct.counts($0) }
      if held.missing + held.renamed > 0 {
        findings.append(
          Finding(
            check: "catalog-deletions", level: .error,
            message:
              "too many products at once seem to be gone and are left as they are: \(held.missing) that the shop "
              + "does not show, \(held.renamed) whose ids have other SKUs now",
            remedy: "compare COMMERCE_URL with the shop that was exported before; then see omsctl catalog held"))
      }
    } catch {
      throw RPCError(catalog: error)
    }
    return .init(findings: findings)
  }

  private func setUp(_ intake: ShopIntake) async -> Finding {
    do {
      let facts = try await ShopFacts.read(intake.reader.client, intake.reader.mapping)
      return Finding(
        check: "shop-stores", level: .ok,
        message:
          "\(facts.views.count) active store views, base currency \(facts.currency.isEmpty ? "unknown" : facts.currency)"
      )
    } catch {
      return Self.finding("shop-stores", error, right: "Stores → Settings → All Stores (Magento_Backend::store)")
    }
  }

  private func products(_ intake: ShopIntake) async -> Finding {
    do {
      let size = intake.reader.pageSize
      let page = try await intake.reader.client.readPage(
        "V1/products", SearchCriteria().selecting("items[id],total_count"), id: .product, after: 0, pageSize: size)
      return Finding(
        check: "shop-products", level: .ok, message: "\(page.items.count + page.left) products in the shop")
    } catch {
      return Self.finding("shop-products", error, right: "Catalog → Inventory → Products (Magento_Catalog::products)")
    }
  }

  /// The shop may allow less than is asked for (magento-rules.md §4, "Input limits"). What products were just read with counts.
  private func limits(_ intake: ShopIntake) -> Finding {
    let (size, wanted) = (intake.reader.pageSize.current, PageSize().current)
    guard size < wanted else {
      return Finding(check: "shop-page-limit", level: .ok, message: "the shop answers pages of \(size)")
    }
    return Finding(
      check: "shop-page-limit", level: .warning,
      message: "the shop answers pages of \(size) now, not of \(wanted): reading it takes more requests",
      remedy: "allow \(wanted) in Stores → Configuration → Services → Web Api Limits → Maximum Page Size; if it does, "
        + "the shop was too slow for more, and it rises again by itself")
  }

  private static func finding(_ check: String, _ error: any Error, right: String) -> Finding {
    let isRight = (error as? CommerceError)?.kind == .unauthorized
    return Finding(
      check: check, level: .error, message: "\(error)",
      remedy: isRight
        ? "give the integration \(right) in System → Integrations and activate it again, or correct COMMERCE_TOKEN"
        : "see that the shop is up and that COMMERCE_URL leads to it")
  }

  private func websites(_ facts: ShopFacts) -> Finding {
    guard !facts.unmappedWebsites.isEmpty else {
      return Finding(
        check: "catalog-websites", level: .ok, message: "every website with an active store view is mapped")
    }
    return Finding(
      check: "catalog-websites", level: .warning,
      message:
        "websites without a sales channel: \(facts.unmappedWebsites.joined(separator: ", ")); their names go out "
        + "under the website's code",
      remedy: "add a line such as: website \(facts.unmappedWebsites[0]) = CHANNEL")
  }

  private var noCurrency: Finding {
    Finding(
      check: "catalog-currency", level: .warning,
      message: "the shop does not say its base currency: products are exported without prices",
      remedy: "activate a store view of the mapped website")
  }

  private func attributes(_ intake: ShopIntake) async -> [Finding] {
    guard !shop.mapping.attributes(of: .product).isEmpty else { return [] }
    do {
      let missing = try await intake.reader.options.current(atMost: .zero).missing
      guard !missing.isEmpty else {
        return [Finding(check: "catalog-attributes", level: .ok, message: "the shop has every mapped attribute")]
      }
      return [
        Finding(
          check: "catalog-attributes", level: .error,
          message: "the shop has no product attribute \(missing.joined(separator: ", "))",
          remedy: "correct the attribute's code in the mapping file, or create it in the shop")
      ]
    } catch {
      return [
        Self.finding(
          "catalog-attributes", error,
          right: "Stores → Attributes → Product (Magento_Catalog::attributes_attributes)")
      ]
    }
  }
}
