import Messages

/// The modules that a shop runs (`GET /V1/modules`), read now and then: merchants switch them on and off.
public struct ShopModules: Sendable {
  /// Multi-source inventory.
  public static let inventory = "Magento_InventoryApi"
  /// Returns, of Adobe Commerce.
  public static let returns = "Magento_Rma"

  static let age = Duration.seconds(600)

  private let names: CachedReading<Set<String>>

  public init(_ client: CommerceClient) {
    names = CachedReading(for: Self.age) { Set(try await client.getList("V1/modules").compactMap(\.string)) }
  }

  /// - Throws: `CommerceError`.
  public func has(_ name: String) async throws -> Bool { try await names.current().contains(name) }

  /// The shop has answered as if it were otherwise.
  public func forget() async { await names.forget() }
}
