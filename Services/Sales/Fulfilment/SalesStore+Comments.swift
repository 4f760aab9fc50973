import Commerce
import Storage

/// What waits to be said on orders in the shop. See ``SalesStore`` about connections.
extension SalesStore {
  /// Characters of a comment.
  static let commentCharacters = 1_000

  /// A comment's text with its time behind it. What the shop shows already is not said again: without a time, what becomes so once
  /// more would not be said at all.
  ///
  /// - Parameters:
  ///   - time: nanoseconds since 1970. The same whenever it is told of the same.
  ///   - precisely: with milliseconds, of what may happen several times in a second.
  static func dated(_ text: String, _ time: Int64, precisely: Bool = false) -> String {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    let thousandths = String(rest.magnitude / 1_000_000)
    let fraction = precisely ? "." + String(repeating: "0", count: 3 - thousandths.count) + thousandths : ""
    // Cut before, so that the time stays.
    return "\(text.prefix(commentCharacters - 40)), \(ShopTime.text(seconds))\(fraction) UTC"
  }

  /// Comments of one order that wait; of more the last one says how many were left out.
  static let commentLimit = 200

  func comments(_ connection: Connection, of incrementID: String) throws -> [FulfilmentLedger.Comment] {
    try connection.withStatement(
      "SELECT number, content FROM sales_comment WHERE increment_id = ?1 ORDER BY number LIMIT 20"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      var comments: [FulfilmentLedger.Comment] = []
      while try statement.step() { comments.append(.init(id: statement.integer(0), text: statement.text(1))) }
      return comments
    }
  }

  /// To be said on the order in the shop. The number comes from the order's own row of them: no sequence is needed.
  func addComment(
    _ connection: Connection, of incrementID: String, _ text: String, now: Int64 = WallClock.nanoseconds()
  ) throws {
    let (count, last) = try connection.withStatement(
      "SELECT COUNT(*), COALESCE(MAX(number), 0) FROM sales_comment WHERE increment_id = ?1"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      return try statement.step() ? (statement.integer(0), statement.integer(1)) : (0, 0)
    }
    if count >= Self.commentLimit {
      let before = try comment(connection, of: incrementID, last).flatMap { LeftOutComments($0) }
      // A comment that is none of ours gives way as well.
      let leftOut = before.map { LeftOutComments(count: $0.count + 1, since: $0.since) } ?? .init(count: 2, since: now)
      try save(connection, of: incrementID, last, leftOut.text)
    } else if count == Self.commentLimit - 1 {
      try save(connection, of: incrementID, last + 1, LeftOutComments(count: 1, since: now).text)
    } else {
      try save(connection, of: incrementID, last + 1, String(text.prefix(Self.commentCharacters)))
    }
  }

  private func comment(_ connection: Connection, of incrementID: String, _ number: Int64) throws -> String? {
    try connection.withStatement("SELECT content FROM sales_comment WHERE increment_id = ?1 AND number = ?2") {
      try $0.bind(incrementID, at: 1)
      try $0.bind(number, at: 2)
      return try $0.step() ? $0.text(0) : nil
    }
  }

  private func save(_ connection: Connection, of incrementID: String, _ number: Int64, _ text: String) throws {
    try connection.withStatement(
      """
      INSERT INTO sales_comment (increment_id, number, content) VALUES (?1, ?2, ?3)
      ON CONFLICT (increment_id, number) DO UPDATE SET content = excluded.content
      """
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(number, at: 2)
      try statement.bind(text, at: 3)
      _ = try statement.run()
    }
  }

  func removeComment(_ connection: Connection, of incrementID: String, _ id: Int64) throws {
    try connection.withStatement("DELETE FROM sales_comment WHERE increment_id = ?1 AND number = ?2") { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(id, at: 2)
      _ = try statement.run()
    }
  }
}

/// Says that comments were left out, and how many.
struct LeftOutComments: Equatable {
  var count: Int
  /// As `ShopTime` writes it: by it one is told from another of the same order.
  let since: String

  /// - Parameter since: nanoseconds since 1970.
  init(count: Int, since: Int64) {
    self.count = count
    self.since = ShopTime.text(since / 1_000_000_000)
  }

  init(count: Int, since: String) {
    self.count = count
    self.since = since
  }

  private static let (start, middle) = ("OMS: messages left out since ", " UTC, as too many wait: ")
  private static let end = "; see omsctl journal"

  /// - Parameter text: as ``text`` has it; nil when it says something else.
  init?(_ text: String) {
    guard text.hasPrefix(Self.start), text.hasSuffix(Self.end) else { return nil }
    let inner = text.dropFirst(Self.start.count).dropLast(Self.end.count)
    let since = inner.prefix(19)
    guard inner.dropFirst(19).hasPrefix(Self.middle), let count = Int(inner.dropFirst(19 + Self.middle.count)) else {
      return nil
    }
    self.init(count: count, since: String(since))
  }

  var text: String { "\(Self.start)\(since)\(Self.middle)\(count)\(Self.end)" }
}
