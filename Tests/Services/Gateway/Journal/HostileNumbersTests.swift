import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Numbers that nobody can mean, and that nothing may be added to: Swift ends a process whose integers overflow.
@Suite("Numbers at the ends of their types")
struct HostileNumbersTests {
  static let ends: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]

  @Test("a list that begins at any number is answered, or refused with the field", arguments: ends)
  func afterID(id: Int64) async throws {
    try await LiveJournal.with { live in
      for n in 0..<3 { try await live.add("\(n)") }
      do throws(RPCError) {
        let found = try await rpc { try await live.list(afterID: id) }.messages.map(\.deliveryId)
        #expect(id >= 0 && found == (id == 0 ? ["2", "1", "0"] : id == 1 ? ["1", "2"] : []))
      } catch {
        #expect(id < 0 && error.fieldViolations.map(\.field) == ["after_id"])
      }
    }
  }

  @Test("a page token that somebody has made is a place like any other", arguments: ends)
  func pageToken(place: Int64) async throws {
    try await LiveJournal.with { live in
      for n in 0..<3 { try await live.add("\(n)") }
      for (afterID, isNewestFirst) in [(Int64(0), true), (1, false)] {
        let token = PageToken.encode(after: "\(place)", of: "\(JournalFilter().text)\u{0}\(isNewestFirst)")
        let found = try await live.list(pageToken: token, afterID: afterID).messages.map(\.id)
        #expect(found == (isNewestFirst ? (1...3).reversed().filter { $0 < place } : (2...3).filter { $0 > place }))
      }
    }
  }

  @Test("no message has such a number", arguments: ends)
  func message(id: Int64) async throws {
    try await LiveJournal.with { live in
      await #expect(throws: RPCError.self) { try await live.message(id) }
      await #expect(throws: RPCError.self) { try await live.replay(.init(id: id)) }
      await #expect(throws: RPCError.self) {
        try await live.channel.unary(JournalCalls.discard, .init(id: id, reason: "x"))
      }
    }
  }

  @Test("a moment is one between 1678 and 2261, or refused", arguments: ends)
  func moments(seconds: Int64) {
    for nanos in [Int32.min, -1, 0, 999_999_999, 1_000_000_000, .max] {
      let time = Google.Protobuf.Timestamp(seconds: seconds, nanos: nanos)
      let isGood = (-1...1).contains(seconds) && (0...999_999_999).contains(nanos)
      #expect((try? ReportService.time(time)) == (isGood ? WallTime(time) : nil))
      #expect((try? JournalFilter(.init(since: time)))?.since == (isGood ? WallTime(time) : nil))
    }
  }

  @Test("times and what lies between them end where their integers do")
  func arithmetic() {
    let (first, last) = (WallTime(nanoseconds: .min), WallTime(nanoseconds: .max))
    #expect(last + .seconds(1) == last && last + .seconds(Int64.max) == last)
    #expect(last - first == .nanoseconds(Int64.max) && first - last == .nanoseconds(Int64.min))
    #expect(first - first == .zero)
  }

  @Test(
    "attempts that cannot have been are damage, and said to be",
    arguments: [(Int64.max, 1.0), (.min, 1), (0, .infinity), (0, .nan), (0, -1), (0, 1e300)])
  func attempts(seconds: Int64, milliseconds: Double) {
    let log = Omsconnector.Internal.V1.AttemptLog(
      attempts: [.init(startedAt: .init(seconds: seconds), durationMs: milliseconds)])
    #expect(throws: MessageError.self) { try AttemptLog(count: 1, serialized: log.serialized()) }
  }

  private func rpc<Value>(_ body: () async throws -> Value) async throws(RPCError) -> Value {
    do {
      return try await body()
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.unknown, "\(error)")
    }
  }
}
