import Commerce
import Messages

extension ShopFacts {
  /// How long a change of the shop's set-up may go unnoticed.
  static let age = Duration.seconds(600)

  /// Three requests.
  static func read(_ client: CommerceClient, _ mapping: Mapping) async throws -> ShopFacts {
    let websites: [Magento.Commerce.V1.Website] = try await list("V1/store/websites", client)
    let views: [Magento.Commerce.V1.StoreView] = try await list("V1/store/storeViews", client)
    let configs: [Magento.Commerce.V1.StoreConfig] = try await list("V1/store/storeConfigs", client)
    return ShopFacts(websites: websites, views: views, configs: configs, mapping: mapping)
  }

  private static func list<M: Message>(_ route: String, _ client: CommerceClient) async throws -> [M] {
    let root = try await client.getJSON(route).root
    let unreadable = { (reason: String) in
      CommerceError(.unreadable, status: 200, request: "GET \(route)", reason)
    }
    guard let elements = root.elements else { throw unreadable("the answer is no list") }
    var list: [M] = []
    for element in elements {
      do throws(MessageError) {
        list.append(try M(json: element))
      } catch {
        throw unreadable("the answer is not as expected: \(error)")
      }
    }
    return list
  }
}
