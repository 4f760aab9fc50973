import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import Sales
@testable import ServiceKit

@Suite("Parcels that the OMS tells of")
struct ParcelTests {
  /// Four mugs of one order item.
  private static let mugs = (1...4).map { line($0) }

  /// Without line numbers, as some senders write it.
  private func parcel(_ request: String, items: Int, tracks: [String] = []) -> String {
    let lines = Array(repeating: #"{"order_line_id":"3"}"#, count: items).joined(separator: ",")
    let packages = tracks.map { #"{"id":"P","tracking_number":"\#($0)"}"# }.joined(separator: ",")
    return
      #"{"shipment":{"order_id":"7","shipment_request_id":"\#(request)","items":[\#(lines)],"packages":[\#(packages)]}}"#
  }

  private func tell(_ sales: TemporarySales, _ json: String) async throws {
    let (store, message) = (sales.store, try Parcel(Array(json.utf8)))
    _ = try await sales.database.write { try message.apply(to: store, $0, now: 1) }
  }

  /// Which parcel each line has left with.
  private func left(_ sales: TemporarySales) async throws -> [String] {
    try await sales.store.lines(of: "7").map(\.shipmentRequestID)
  }

  @Test("told again without line numbers it has left once, in whatever order they are told")
  func repeated() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), Self.mugs)
    for request in ["A", "B", "A", "B", "A"] { try await tell(sales, parcel(request, items: 1)) }
    #expect(try await left(sales) == ["A", "B", "", ""])
    await sales.database.close()
  }

  @Test("a second message of a request with other units is another parcel, also without line numbers")
  func others() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), Self.mugs)
    for items in [1, 2, 1, 2] { try await tell(sales, parcel("A", items: items)) }
    #expect(try await left(sales) == ["A", "A #2", "A #2", ""])
    await sales.database.close()
  }

  @Test("without a request's id parcels of the same things are told apart by their tracking numbers")
  func unnamed() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), Self.mugs)
    for track in ["T1", "T2", "T1", "T2"] { try await tell(sales, parcel("", items: 1, tracks: [track])) }
    #expect(try await left(sales) == ["lines 3", "lines 3 #2", "", ""])
    // With nothing to tell them apart it is the same one: what is acknowledged is never shipped twice.
    try await tell(sales, parcel("", items: 1))
    #expect(try await left(sales) == ["lines 3", "lines 3 #2", "", ""])
    await sales.database.close()
  }

  @Test(
    "a parcel that was refused leaves when an operator has it consumed again, and one that left does not again",
    arguments: TestEngine.allCases)
  func replayed(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    try await sales.add(order("7", .held), Self.mugs)
    let name = "magento.logistics.fulfillment_management.customer_shipment_done"
    let method = try #require(OMSMessages(store: sales.store) {}.methods.first { $0.name == name })
    let body = Array(parcel("A", items: 2).utf8)
    func consume(replay: UInt32) async throws {
      _ = try await method.consume(.init(deliveryId: "\"d-1\"", method: name, body: body, replay: replay), .root())
    }
    await #expect(throws: RPCError.self) { try await consume(replay: 0) }
    #expect(try await left(sales) == ["", "", "", ""])
    try await sales.add(order("7"), Self.mugs)
    for replay in [1, 1, 2, 3] as [UInt32] { try await consume(replay: replay) }
    #expect(try await left(sales) == ["A", "A", "", ""])
    await sales.database.close()
  }

  @Test("a parcel that is known and with which nothing has left leaves when it is replayed")
  func undone() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), Self.mugs)
    try await tell(sales, parcel("A", items: 2))
    try await sales.add(order("7"), Self.mugs)
    try await tell(sales, parcel("A", items: 2))
    #expect(try await left(sales) == ["A #2", "A #2", "", ""])
    await sales.database.close()
  }
}
