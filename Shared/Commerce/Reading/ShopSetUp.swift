import Messages

/// A shop's websites and store views, with their settings.
public struct ShopSetUp: Sendable {
  /// The administrator's, which has the id 0, among them.
  public var websites: [Magento.Commerce.V1.Website]
  public var views: [Magento.Commerce.V1.StoreView]
  public var configs: [Magento.Commerce.V1.StoreConfig]

  /// Three requests.
  ///
  /// - Throws: `CommerceError`.
  public static func read(_ client: CommerceClient) async throws -> ShopSetUp {
    ShopSetUp(
      websites: try await client.getMessages("V1/store/websites"),
      views: try await client.getMessages("V1/store/storeViews"),
      configs: try await client.getMessages("V1/store/storeConfigs"))
  }

  /// Codes of the websites that sell.
  ///
  /// - Throws: `CommerceError`.
  public static func websiteCodes(_ client: CommerceClient) async throws -> [String] {
    let websites: [Magento.Commerce.V1.Website] = try await client.getMessages("V1/store/websites")
    return websites.filter { $0.id != 0 }.map(\.code)
  }
}
