import Testing

@testable import Storage

@Suite("DATABASE_URL of PostgreSQL")
struct PostgreSQLURLTests {
  @Test(
    "names server and database, and never shows the password",
    arguments: [
      ("postgresql://oms:s3cret@db.example:5433/shop", "\"shop\" on db.example, port 5433"),
      ("postgres://oms:s3cret@db.example/shop?sslmode=require", "\"shop\" on db.example"),
      ("postgresql:///shop?host=/run/postgresql&user=oms&password=s3cret", "\"shop\" on /run/postgresql"),
      ("postgresql://oms:s3cret@a.example,b.example/shop", "\"shop\" on a.example,b.example"),
    ])
  func accepted(text: String, description: String) throws {
    let location = try StoreLocation(url: text)
    let url = try PostgreSQLURL(text)
    #expect(url.description == description)
    #expect(location == .postgresql(url))
    var dumped = ""
    dump(location, to: &dumped)
    for shown in [String(describing: location), String(reflecting: location), "\(url)", dumped] {
      #expect(!shown.contains("s3cret"))
    }
  }

  @Test(
    "is refused without showing it, with what is allowed",
    arguments: [
      "postgresql://oms:s3cret@[::1/shop", "postgresql://oms:s3cret@host/shop?colour=blue",
      "postgresql:///shop?password=s3cret&colour=blue", "postgresql://oms:s3cret@host:port/%zz",
    ])
  func refused(text: String) {
    let error = #expect(throws: StorageError.self) { try StoreLocation(url: text) }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.description.contains("s3cret") == false)
    #expect(error?.remedy?.contains("postgresql://USER:PASSWORD@HOST:PORT/DATABASE") == true)
  }

  @Test(
    "parameters get the form of PostgreSQL, where they are parameters",
    arguments: [
      ("SELECT ?1", "SELECT $1", 1), ("VALUES (?2, ?1, ?2)", "VALUES ($2, $1, $2)", 2), ("SELECT 1", "SELECT 1", 0),
      ("SELECT '?1', \"?2\", ?3", "SELECT '?1', \"?2\", $3", 3),
      ("SELECT 'it''s ?1' || ?2", "SELECT 'it''s ?1' || $2", 2),
      ("SELECT ?1 -- ?2\n, ?3", "SELECT $1 -- ?2\n, $3", 3),
      ("/* ?1 /* ?2 */ ?3 */ SELECT ?4", "/* ?1 /* ?2 */ ?3 */ SELECT $4", 4),
      ("SELECT E'\\'?1' || ?2", "SELECT E'\\'?1' || $2", 2),
      ("SELECT $a$ ?1 $b$ $a$, ?2", "SELECT $a$ ?1 $b$ $a$, $2", 2),
      ("SELECT ?12", "SELECT $12", 12),
    ])
  func placeholders(given: String, expected: String, count: Int) throws {
    let translated = try Placeholders(given)
    #expect(translated.sql == expected)
    #expect(translated.count == count)
  }

  @Test("a parameter without a number is refused", arguments: ["SELECT ?", "SELECT ?0", "SELECT ?65536", "SELECT ?x"])
  func numberless(sql: String) {
    #expect(throws: StorageError.self) { try Placeholders(sql) }
  }
}
