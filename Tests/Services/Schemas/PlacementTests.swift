import Storage
import TestSupport
import Testing

@testable import Catalog
@testable import Gateway
@testable import Inventory
@testable import PostSales
@testable import Sales

/// No service's store has anything that keeps it on one machine. Asked is what PostgreSQL has after all steps of the schema.
@Suite("Placement of tables", .timeLimit(.minutes(2)))
struct PlacementTests {
  struct Schema: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let migrations: [Migration]
    let placements: [String: Placement]
  }

  static let schemas = [
    Schema(testDescription: "gateway", migrations: GatewaySchema.migrations, placements: GatewaySchema.placements),
    Schema(
      testDescription: "inventory", migrations: StockSchema.migrations, placements: StockSchema.placements),
    Schema(
      testDescription: "catalog", migrations: CatalogSchema.migrations, placements: CatalogSchema.placements),
    Schema(
      testDescription: "sales", migrations: SalesSchema.migrations, placements: SalesSchema.placements),
    Schema(
      testDescription: "post-sales", migrations: PostSalesSchema.migrations, placements: PostSalesSchema.placements),
  ]

  @Test("every service's tables can be spread over machines as their schema says", arguments: schemas)
  func placed(_ schema: Schema) async throws {
    #expect(try await Self.violations(schema.migrations, schema.placements) == [])
  }

  @Test("what can't be spread is seen")
  func seen() async throws {
    let bad = Migration(
      "bad", sqlite: [],
      postgresql: [
        "CREATE TABLE a (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b BIGINT, c BIGSERIAL NOT NULL UNIQUE)",
        "CREATE TABLE child (id BIGINT REFERENCES a (id), b BIGINT NOT NULL, EXCLUDE USING btree (b WITH =))",
        "CREATE UNLOGGED TABLE lost (id BIGINT PRIMARY KEY)",
        "CREATE VIEW seen AS SELECT id FROM a",
        "CREATE UNIQUE INDEX a_sum ON a ((b + 1), id)",
        "CREATE RULE kept AS ON DELETE TO lost DO INSTEAD NOTHING",
        """
        CREATE TRIGGER same BEFORE UPDATE ON lost FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
        """,
      ])
    let placements: [String: Placement] = [
      "a": .spread(by: "b"), "child": .spread(by: "b"), "gone": .everywhere, "lost": .spread(by: "day"),
    ]
    let found = try await Self.violations([bad], placements)
    #expect(
      found == [
        "sequence a_c_seq", "sequence a_id_seq", "seen is no table",
        "a is spread by b, which may be NULL",
        "a_c_key (c) is unique and lacks b of a", "a_pkey (id) is unique and lacks b of a",
        "a_sum (id) is unique and lacks b of a",
        "child has no primary key",
        "table lost is not in the log", "lost is spread by day, which it has not",
        "gone is placed, and not there",
        "a.id comes from a sequence", "a.c comes from a sequence",
        "exclusion constraint child_b_excl of child", "foreign key child_id_fkey of child",
        "rule kept of lost", "trigger same of lost", "rule _RETURN of seen",
      ])
    #expect(try await Self.violations([bad], [:]).contains("nobody says where the rows of a are"))
  }

  private static func violations(
    _ migrations: [Migration], _ placements: [String: Placement]
  ) async throws -> [String] {
    let database = try TestStore(.postgresql).open(migrations)
    let catalog = try await database.read { try SchemaCatalog($0) }
    await database.close()
    return catalog.violations(of: Placement.all(placements, Placement.ofEveryStore))
  }
}
