import RPC
import Testing

@testable import ServiceKit

@Suite("Lists that are read page by page")
struct PageTokensTests {
  /// A list of the numbers from 0, whose tokens are where it goes on. Pages have three rows at most.
  private static func page(_ count: Int, _ size: Int32, _ token: String) -> (rows: [Int], next: String) {
    let start = Int(token) ?? 0
    let end = min(count, start + min(Int(size), 3))
    return (Array(start..<end), end < count ? "\(end)" : "")
  }

  @Test(
    "all pages are read, or as many rows as are asked for, and none more is asked of the server",
    arguments: [
      (0, .max, 10, [10], ""), (7, .max, 10, [10, 10, 10], ""), (7, 7, 10, [7, 4, 1], ""), (7, 4, 10, [4, 1], "4"),
      (7, 3, 10, [3], "3"), (5, .max, 2, [2, 2, 2], ""),
    ] as [(Int, Int, Int, [Int32], String)])
  func collect(count: Int, limit: Int, pageSize: Int, asked: [Int32], next: String) async throws {
    var sizes: [Int32] = []
    let found = try await PageTokens.collect(limit: limit, pageSize: pageSize, of: "the test") { size, token in
      sizes.append(size)
      return Self.page(count, size, token)
    }
    #expect(found.rows == Array(0..<min(count, limit)) && found.next == next)
    #expect(sizes == asked)
  }

  @Test("a server that answers the same page for ever is found out")
  func endless() async throws {
    let error = await #expect(throws: RPCError.self) {
      _ = try await PageTokens.collect(of: "the test") { _, _ in ([1], "x") }
    }
    #expect(error?.code == .internalError && error?.message.hasPrefix("the test answers the same page again") == true)
  }
}
