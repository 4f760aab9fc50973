import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Until when the shop was read")
struct PollPlaceTests {
  @Test("a place only goes forward, and each name has its own", arguments: TestEngine.allCases)
  func forward(engine: TestEngine) async throws {
    let store = try TestStore(engine)
    let database = try store.open([PollPlace.migration])
    let places = try await database.write { connection in
      let (orders, other) = (PollPlace("orders"), PollPlace("orders by night"))
      var places = [try orders.read(connection)]
      for time: Int64 in [1_000, 900, 1_100] {
        try orders.advance(to: time, connection)
        places.append(try orders.read(connection))
      }
      return places + [try other.read(connection)]
    }
    #expect(places == [nil, 1_000, 1_000, 1_100, nil])
    await database.close()
  }
}
