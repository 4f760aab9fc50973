import Commerce
import Messages

extension ShopFacts {
  /// How long a change of the shop's set-up may go unnoticed.
  static let age = Duration.seconds(600)

  /// Three requests.
  static func read(_ client: CommerceClient, _ mapping: Mapping) async throws -> ShopFacts {
    let setUp = try await ShopSetUp.read(client)
    return ShopFacts(websites: setUp.websites, views: setUp.views, configs: setUp.configs, mapping: mapping)
  }
}
