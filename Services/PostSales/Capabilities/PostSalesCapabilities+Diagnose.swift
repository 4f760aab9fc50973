import Commerce
import Messages
import RPC
import ServiceKit

extension PostSalesCapabilities {
  func diagnose(
    _ request: Omsconnector.Internal.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiagnoseResponse {
    var findings: [Finding] = []
    if let client, let returns {
      findings.append(
        await reading(client, "V1/creditmemos", "refunds-permission", "Sales → Operations → Credit Memos"))
      findings += try await polling(poll, "refund-polling", of: "credit memos")
      findings += try await returnFindings(client, returns)
      // The setting is not readable over REST, and it decides what a refund does to stock.
      findings.append(
        Finding(
          check: "automatic-restock", level: .ok,
          message:
            "whether the shop restocks by itself can't be read; the SKUs of each refund are pushed anew all the same",
          remedy:
            "switch off Stores → Configuration → Catalog → Inventory → \"Automatically Return Credit Memo Item to Stock\""
        ))
    } else {
      findings.append(
        Finding(
          check: "refunds-shop", level: .warning, message: "post-sales has no shop: refunds and returns wait",
          remedy: "set COMMERCE_URL and COMMERCE_TOKEN of the post-sales service"))
    }
    do {
      findings += counted(try await database.read { try Counts($0) })
    } catch {
      throw RPCError(postSales: error)
    }
    return .init(findings: findings)
  }

  private func polling(_ poll: ShopPoll?, _ check: String, of items: String) async throws -> [Finding] {
    guard let poll else { return [] }
    do {
      return try await poll.findings(check, of: items)
    } catch {
      throw RPCError(postSales: error)
    }
  }

  private func returnFindings(_ client: CommerceClient, _ returns: any ReturnShop) async throws -> [Finding] {
    do {
      guard try await returns.hasReturns() else {
        return [
          Finding(
            check: "returns-module", level: .warning,
            message: "the shop has no returns (Magento_Rma): those of the OMS are known to the connector only",
            remedy: "nothing, if the shop is Open Source; else enable Magento_Rma")
        ]
      }
      return [
        Finding(check: "returns-module", level: .ok, message: "the shop has returns"),
        await reading(
          client, "V1/returns", "returns-permission", "Sales → Operations → Returns (Magento_Rma::magento_rma)"),
      ] + (try await polling(returnPoll, "returns-polling", of: "returns"))
    } catch let error as RPCError {
      throw error
    } catch {
      return [
        Finding(
          check: "returns-module", level: .error, message: "the shop's modules can't be read: \(error)",
          remedy: "see that the shop is up, and that COMMERCE_URL and COMMERCE_TOKEN are right")
      ]
    }
  }

  private func reading(_ client: CommerceClient, _ route: String, _ check: String, _ right: String) async -> Finding {
    do {
      _ = try await client.readPage(
        route, SearchCriteria().selecting("items[entity_id],total_count"), after: 0, pageSize: PageSize(1))
      return Finding(
        check: check, level: .ok, message: "\(route) can be read; only that is tried, rights to write are not")
    } catch {
      let isRight = (error as? CommerceError)?.kind == .unauthorized
      return Finding(
        check: check, level: .error, message: "\(error)",
        remedy: isRight
          ? "give the integration \(right) in System → Integrations and activate it again"
          : "see that the shop is up and that COMMERCE_URL leads to it")
    }
  }

  private func counted(_ counts: Counts) -> [Finding] {
    [
      Finding(
        check: "refunds-stuck", level: counts.stuck == 0 ? .ok : .error, message: "\(counts.stuck) refunds are stuck",
        remedy: counts.stuck == 0 ? "" : "omsctl refunds list --stuck; then resume or settle each"),
      Finding(
        check: "returns-stuck", level: counts.returnsOfConcern == 0 ? .ok : .warning,
        message: "\(counts.returnsOfConcern) returns need an operator",
        remedy: counts.returnsOfConcern == 0 ? "" : "omsctl returns list --attention"),
      Finding(
        check: "returns-not-asked", level: counts.returnsParked == 0 ? .ok : .warning,
        message:
          "\(counts.returnsParked) returns of the shop could not be passed on to the OMS, \(counts.returnsWaiting) wait",
        remedy: counts.returnsParked == 0
          ? "" : "omsctl returns list --attention; then omsctl returns resume, or authorize those that are not listed"),
    ]
  }
}
