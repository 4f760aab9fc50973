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
    var findings = [await setUp(intake), await products(intake)]
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
      if let last = try await runs.last(), last.state == .done, !last.reason.isEmpty {
        findings.append(
          Finding(
            check: "catalog-deletions", level: .error, message: last.reason,
            remedy: "compare COMMERCE_URL with the shop that was exported before"))
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
      let limit = size.current < PageSize().current ? "; the shop allows pages of \(size.current)" : ""
      return Finding(
        check: "shop-products", level: .ok, message: "\(page.items.count + page.left) products in the shop\(limit)")
    } catch {
      return Self.finding("shop-products", error, right: "Catalog → Inventory → Products (Magento_Catalog::products)")
    }
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
