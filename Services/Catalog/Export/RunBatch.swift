import Commerce
import Messages
import ServiceKit
import Storage

/// A page of the catalog as it was read, without what keeps the answer alive.
struct CatalogPage: Sendable {
  let products: [ShopProduct]
  let issues: [Issue]
  /// The shop's ids of all items, also of those that can't be used.
  let ids: [Int64]
  let after: Int64
  let last: Int64
  let left: Int
  /// Nanoseconds since 1970: what is not on the page and was stored later is no loss.
  let askedAt: Int64
  /// What the shop can't show and was passed over for this page.
  var unreadable: [UnreadableItem] = []

  var isLast: Bool { left == 0 }
}

extension CatalogPage {
  init(_ page: ShopPage, after: Int64, askedAt: Int64, _ reader: ShopReader) {
    let (products, issues) = reader.parse(page.items)
    self.init(
      products: products, issues: issues,
      ids: page.items.compactMap { $0["id"]?.integer }, after: after,
      last: page.last, left: page.left, askedAt: askedAt, unreadable: page.unreadable)
  }
}

/// Pages that go into one transaction.
struct RunBatch: Sendable {
  /// Bytes of messages that are held at a time, beside those that are being written.
  static let bytesLimit = 8 << 20

  var entries: [CatalogEntry] = []
  var issues: [Issue] = []
  /// Ids from here on; what was read last.
  private(set) var after: Int64
  private(set) var last: Int64
  private(set) var ids: Set<Int64> = []
  private(set) var unreadable: [UnreadableItem] = []
  private(set) var read = 0
  private(set) var left = 0
  private(set) var isLast = false
  private(set) var askedAt = Int64.max
  private(set) var facts = ShopFacts()
  private var bytes = 0
  private let passedOver: Set<Int64>

  /// - Parameter passedOver: ids that are not asked for, since the shop can't show them: they are not missing.
  init(after: Int64, passedOver: [Int64] = []) {
    self.after = after
    last = after
    self.passedOver = Set(passedOver)
  }

  var isEmpty: Bool { read == 0 && !isLast }

  /// Whether that many more products fit.
  func hasRoom(for count: Int) -> Bool { read + count <= CatalogRules.batch && bytes < Self.bytesLimit }

  mutating func add(_ page: CatalogPage, _ entries: [CatalogEntry], _ facts: ShopFacts, _ issues: [Issue]) {
    self.facts = facts
    self.entries += entries
    // Places are counted over the whole run.
    self.issues += (page.issues + issues).map { Issue(sku: $0.sku, place: read + $0.place, reason: $0.reason) }
    ids.formUnion(page.ids)
    unreadable += page.unreadable
    read += page.ids.count
    last = page.last
    left = page.left
    isLast = page.isLast
    askedAt = min(askedAt, page.askedAt)
    bytes += entries.reduce(0) { $0 + $1.body.count }
  }

  /// Notes the batch in its run, in the transaction that takes its products over.
  ///
  /// Pages are cut by id, so all products between two of them are on them: what is known and missing there is gone, unless it was
  /// stored after the page was asked for.
  func note(_ connection: Connection, _ run: CatalogRun, _ outcome: TakeOverOutcome) throws {
    try RunStore.update(
      connection, run.id,
      """
      last_id = ?2, is_read = ?3, read_count = read_count + ?4, total = read_count + ?4 + ?5, exported = exported + ?6,
      deactivated = deactivated + ?7, failed = failed + ?8, reason = ''
      """
    ) { statement in
      try statement.bind(last, at: 2)
      try statement.bind(isLast, at: 3)
      try statement.bind(Int64(read), at: 4)
      try statement.bind(Int64(left), at: 5)
      try statement.bind(Int64(outcome.exported), at: 6)
      try statement.bind(Int64(outcome.deactivated), at: 7)
      try statement.bind(Int64(issues.count), at: 8)
    }
    try noteIssues(connection, run)
    try UnreadableItems(of: CatalogPolling.name).note(unreadable, connection)
    try noteMissing(connection, run)
  }

  private func noteIssues(_ connection: Connection, _ run: CatalogRun) throws {
    guard let now = try RunStore.run(connection, run.id), now.failed - issues.count < CatalogRules.issues else {
      return
    }
    let before = now.read - read
    try connection.withStatement(
      """
      INSERT INTO catalog_run_issue (run, place, sku, reason) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (run, place) DO NOTHING
      """
    ) { statement throws(StorageError) in
      try statement.bind(run.id, at: 1)
      try statement.runEach(
        issues.prefix(CatalogRules.issues), text: { $0.reason }, at: 4,
        bind: { issue throws(StorageError) in
          try statement.bind(Int64(before + issue.place), at: 2)
          try statement.bind(issue.sku, at: 3)
        }, changed: { _, _ in })
    }
  }

  private func noteMissing(_ connection: Connection, _ run: CatalogRun) throws {
    let present = ids.union(passedOver).union(unreadable.map(\.id))
    let missing = try connection.withStatement(
      """
      SELECT product_id FROM product WHERE product_id > ?1 AND product_id <= ?2 AND status <> 'INACTIVE'
        AND recorded_at < ?3
      """
    ) { statement in
      try statement.bind(after, at: 1)
      try statement.bind(isLast ? .max : last, at: 2)
      try statement.bind(askedAt, at: 3)
      var missing: [Int64] = []
      while try statement.step() {
        let id = statement.integer(0)
        if !present.contains(id) { missing.append(id) }
      }
      return missing
    }
    for id in missing {
      try connection.withStatement(
        "INSERT INTO catalog_run_missing (run, product_id) VALUES (?1, ?2) ON CONFLICT (run, product_id) DO NOTHING"
      ) { statement in
        try statement.bind(run.id, at: 1)
        try statement.bind(id, at: 2)
        _ = try statement.run()
      }
    }
  }
}
