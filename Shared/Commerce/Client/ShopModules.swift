import Messages

/// The modules that a shop runs (`GET /V1/modules`), read now and then: merchants switch them on and off.
public actor ShopModules {
  /// Multi-source inventory.
  public static let inventory = "Magento_InventoryApi"
  /// Returns, of Adobe Commerce.
  public static let returns = "Magento_Rma"

  static let freshness = Duration.seconds(600)

  private let client: CommerceClient
  private var known: (names: Set<String>, at: ContinuousClock.Instant)?

  public init(_ client: CommerceClient) { self.client = client }

  /// - Throws: `CommerceError`.
  public func has(_ name: String) async throws -> Bool {
    if let known, ContinuousClock.now - known.at < Self.freshness { return known.names.contains(name) }
    let names = Set(try await client.getJSON("V1/modules").root.elements?.compactMap(\.string) ?? [])
    known = (names, .now)
    return names.contains(name)
  }
}
