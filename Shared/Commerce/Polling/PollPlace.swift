import Storage

/// Until when something of the shop was read: seconds since 1970, UTC, under a name. To be called within the bodies of
/// ``Database/read(_:)`` and ``Database/write(weight:key:_:)``.
public struct PollPlace: Sendable {
  /// Where reading goes on, a step of the schema of each service that polls.
  public static let migration = Migration(
    "what has been read of the shop",
    sqlite: [
      """
      CREATE TABLE shop_poll (
        name TEXT NOT NULL PRIMARY KEY,
        read_until INTEGER NOT NULL -- seconds since 1970, UTC
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE shop_poll (
        name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        read_until BIGINT NOT NULL
      )
      """
    ])

  public static let placements: [String: Placement] = ["shop_poll": .everywhere]

  public let name: String

  public init(_ name: String) { self.name = name }

  /// - Returns: nil when it was never read.
  public func read(_ connection: Connection) throws -> Int64? {
    try connection.withStatement("SELECT read_until FROM shop_poll WHERE name = ?1") { statement in
      try statement.bind(name, at: 1)
      return try statement.step() ? statement.integer(0) : nil
    }
  }

  /// Notes that it was read until `time`; a clock that goes back leaves it where it was.
  public func advance(to time: Int64, _ connection: Connection) throws {
    try connection.withStatement(
      """
      INSERT INTO shop_poll (name, read_until) VALUES (?1, ?2)
      ON CONFLICT (name) DO UPDATE SET read_until = excluded.read_until WHERE excluded.read_until > shop_poll.read_until
      """
    ) { statement in
      try statement.bind(name, at: 1)
      try statement.bind(time, at: 2)
      _ = try statement.run()
    }
  }
}
