import Messages
import Testing

@Suite("Messages in protobuf's binary form")
struct MessagesTests {
  let snapshot = Omsconnector.V1.StockSnapshot(
    aggregateId: "EU-WEB", mode: .delta, createdOn: .init(seconds: 1_706_933_106, nanos: 5),
    stock: [.init(sku: "MUG-BLUE", quantity: 14), .init(sku: "EBOOK-1", quantity: 0, unlimited: true), .init(sku: "é")])

  @Test("a message survives the round trip, absent and zero scalars told apart")
  func roundTrip() throws {
    let decoded = try Omsconnector.V1.StockSnapshot(serialized: snapshot.serialized())
    #expect(decoded == snapshot)
    #expect(decoded.stock[1].quantity == 0)
    #expect(decoded.stock[2].quantity == nil)
  }
}
