import Testing

@testable import Catalog
@testable import Control
@testable import Gateway
@testable import Inventory
@testable import PostSales
@testable import Sales
@testable import ServiceKit

/// A service warns of variables that look like the connector's and are not known. It knows the other executables' by a
/// list, which must not drift from them.
@Suite("Known settings")
struct KnownSettingsTests {
  private static let services = [
    GatewayMain.service, CatalogMain.service, InventoryMain.service, SalesMain.service, PostSalesMain.service,
  ]

  @Test("what an executable reads is known, and what is known is read")
  func known() {
    let declared = Set(Self.services.flatMap(\.settings).map(\.name))
      .union([GatewayTarget.variable]).union(GatewayCredentials.settings.map(\.name))
    #expect(declared.sorted() == KnownSettings.read)
  }

  @Test("a backup has the stores of all services")
  func stores() {
    #expect(Self.services.map(\.name).sorted() == StoreSite.services)
  }

  @Test("a setting means the same in every executable")
  func consistent() {
    let meanings = Dictionary(grouping: Self.services.flatMap(\.settings), by: \.name).mapValues {
      Set($0.map(\.meaning))
    }
    #expect(meanings.filter { $0.value.count > 1 }.isEmpty)
  }
}
