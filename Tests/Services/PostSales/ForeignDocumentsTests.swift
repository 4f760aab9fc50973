import Messages
import RPC
import Storage
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Credit memos and returns that people make in the shop")
struct ForeignDocumentsTests {
  @Test("what a person writes of the OMS on a return does not keep it from the OMS; the mark of a known one does")
  func marks() async throws {
    let world = try ReturnWorld()
    world.shop.put(ReturnWorld.asked(5, item: 3, "1", comments: ["OMS return label is in the parcel"]))
    #expect(try await world.authorize(5).lines.map(\.number) == [3])
    try await world.tell(ReturnWorld.notice([(4, nil)]))
    world.shop.put(ReturnWorld.asked(9, item: 3, "1", comments: ["OMS return RMA-1"]))
    let error = await #expect(throws: RPCError.self) { try await world.authorize(9) }
    #expect(error?.message.contains("was made for the OMS") == true)
    await world.close()
  }

  @Test("a memo with the number of no refund that the OMS has told of is people's")
  func memos() async throws {
    let world = try ReturnWorld()
    let page = try JSONDocument(
      parsing: Array(
        #"""
        [{"entity_id":1,"comments":[{"comment":"OMS credit note CDE1"}]},
         {"entity_id":2,"comments":[{"comment":"OMS credit note is missing, by hand"}]},{"entity_id":3,"comments":[]}]
        """#.utf8))
    let memos = (page.root.elements ?? []).map(ForeignMemos.Seen.init)
    try await world.database.write { connection in
      try RefundStore().save(RefundRecord(Mugs.refund([1: 10]), now: 1), connection)
      try ForeignMemos.take(memos, connection)
    }
    let waiting = try await world.database.read { connection in
      try ["1", "2", "3"].map { try ForeignMemos.queue.waiting(connection, $0) != nil }
    }
    #expect(waiting == [false, true, true])
    await world.close()
  }

  @Test(
    "a memo concerns the OMS once it has the order",
    arguments: [
      (true, 1_700_000_000, "2023-11-14 22:13:20", true), (true, 1_700_000_000, "2023-11-14 22:13:19", false),
      (true, 1_700_000_000, "2023-11-15 00:00:00", true), (true, 1_700_000_000, "", true),
      (true, nil, "2023-11-15 00:00:00", false), (false, 1_700_000_000, "2023-11-15 00:00:00", false),
      (false, nil, "2023-11-15 00:00:00", false),
    ] as [(Bool, Int64?, String, Bool)])
  func concerns(isWithOMS: Bool, sentAt: Int64?, madeAt: String, concerns: Bool) throws {
    var order = Mugs.known
    order.isWithOMS = isWithOMS
    order.sentAt = sentAt.map { $0 * 1_000_000_000 + 999_999_999 }
    let memo = try JSONDocument(parsing: Array(#"{"entity_id":1,"created_at":"\#(madeAt)"}"#.utf8)).root
    #expect(ForeignMemos.concerns(order, memo) == concerns)
  }
}
