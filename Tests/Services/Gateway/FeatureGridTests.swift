import Messages
import Testing

@testable import Gateway

@Suite("What the connector is capable of")
struct FeatureGridTests {
  private typealias Capability = Omsconnector.V1.Capability

  private let export = FeatureGrid.Entry(name: "order-export", title: "Order export", services: [.catalog, .sales])

  @Test("the grid has fourteen features and seven functions, each under a name of its own")
  func grid() {
    #expect(FeatureGrid.features.count == 14)
    #expect(FeatureGrid.functions.count == 7)
    #expect(Set((FeatureGrid.features + FeatureGrid.functions).map(\.name)).count == 21)
    #expect(FeatureGrid.features.allSatisfy { $0.name == FeatureGrid.autoRegistration || !$0.services.isEmpty })
  }

  @Test(
    "a feature is as good as the worst of its parts",
    arguments: [
      ([.active, .active], .active), ([.active, .degraded], .degraded), ([.degraded, .notConfigured], .notConfigured),
      ([.active, .unavailable], .unavailable),
    ] as [([Omsconnector.V1.CapabilityState], Omsconnector.V1.CapabilityState)])
  func worst(states: [Omsconnector.V1.CapabilityState], expected: Omsconnector.V1.CapabilityState) {
    let parts = Dictionary(
      zip(export.services, states.map { Capability(state: $0, detail: "\($0)", remedy: "") })
    ) { first, _ in first }
    let united = export.united { parts[$0] }
    #expect(united.state == expected && united.name == "order-export" && united.title == "Order export")
  }

  @Test("a service that does not answer, or knows nothing of its part, is named with what to do")
  func away() {
    let part = Capability(state: .active, detail: "3 orders", remedy: "")
    let away = export.united { $0 == .sales ? .some(part) : nil }
    #expect(away.state == .unavailable)
    #expect(away.detail == "the catalog service does not answer; 3 orders")
    #expect(away.remedy.contains("omsctl status"))
    let old = export.united { $0 == .sales ? .some(.none) : .some(part) }
    #expect(old.state == .unavailable && old.detail.contains("the sales service says nothing of it"))
  }
}
