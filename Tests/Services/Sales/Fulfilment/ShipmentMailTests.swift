import Storage
import Testing

@testable import Commerce
@testable import Sales
@testable import ServiceKit

@Suite("Mails of shipments")
struct ShipmentMailTests {
  @Test("the shop tells the customer, unless it is switched off, for all or for the channel")
  func switches() async throws {
    for (mails, silent, isTold) in [
      (true, [], true), (false, [], false), (true, ["EU-STORE"], false), (true, ["US-STORE"], true),
    ] as [(Bool, Set<String>, Bool)] {
      var order = try await FollowedOrder()
      var options = ShopWork.Options()
      options.notifiesOfShipments = mails
      options.silentChannels = silent
      order.work = ShopWork(store: order.store, link: order.shop, mapping: FollowedOrder.mapping, options: options)
      try await order.ships(1)
      try await order.follow()
      #expect(order.shop.mails == [isTold])
      await order.sales.database.close()
    }
  }

  @Test("a parcel that is replayed is shipped without a mail, and makes none of others silent")
  func replayed() async throws {
    let order = try await FollowedOrder()
    try await order.ships(1, isReplay: true)
    try await order.ships(2, request: "R-2")
    try await order.follow()
    #expect(order.shop.mails == [false, true])
    await order.sales.database.close()
  }

  @Test("what the bus says of a replay reaches the parcel", arguments: [0, 1] as [UInt32])
  func told(replay: UInt32) async throws {
    let order = try await FollowedOrder()
    let name = "magento.logistics.fulfillment_management.customer_shipment_done"
    let method = try #require(OMSMessages(store: order.store) {}.methods.first { $0.name == name })
    let body = Array(#"{"shipment":{"order_id":"7","shipment_request_id":"R","items":[{"order_line_number":1}]}}"#.utf8)
    _ = try await method.consume(.init(deliveryId: "\"d-1\"", method: name, body: body, replay: replay), .root())
    try await order.follow()
    #expect(order.shop.mails == [replay == 0])
    await order.sales.database.close()
  }
}
