import Commerce
import Messages
import RPC
import ServiceKit
import Stubs

/// Who knows the units of open orders.
protocol OpenUnitsSource: Sendable {
  /// - Parameter skus: 1 000 at most.
  /// - Returns: per SKU; those without open units are not there.
  /// - Throws: when it can't be told now: then nothing may be pushed, because any quantity could be wrong.
  func openUnits(of skus: [String]) async throws -> [String: [OpenUnits]]
}

/// The sales service.
struct SalesOpenUnits: OpenUnitsSource {
  static let timeout = Duration.seconds(20)
  /// SKUs of one call, and units of one page.
  static let pageSize = 1_000

  let channel: Channel

  func openUnits(of skus: [String]) async throws -> [String: [OpenUnits]] {
    var found: [String: [OpenUnits]] = [:]
    let (open, _) = try await PageTokens.collect(pageSize: Self.pageSize, of: "ListOpenUnits of sales") { size, token in
      let page = try await channel.unary(
        Omsconnector.V1.SalesServiceMethods.listOpenUnits, .init(skus: skus, pageSize: size, pageToken: token),
        options: CallOptions(timeout: Self.timeout))
      return (page.openUnits, page.nextPageToken)
    }
    for units in open {
      found[units.sku, default: []].append(
        OpenUnits(
          website: units.website, acknowledged: try Self.number(units.acknowledged, units.sku),
          unacknowledged: try Self.number(units.unacknowledged, units.sku)))
    }
    return found
  }

  private static func number(_ decimal: Google.Types.Decimal?, _ sku: String) throws(RPCError) -> Decimal {
    guard let decimal else { return .zero }
    guard let number = Decimal(decimal) else {
      throw RPCError(.internalError, "open units of SKU \(sku) are \"\(decimal.value)\", which is no number")
    }
    return number
  }
}
