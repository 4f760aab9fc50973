import Commerce
import ServiceKit
import Storage

/// Takes over the products of a CSV file while it comes: a batch at a time, so that a file of any size needs the memory of one.
struct ProductImport {
  /// Bytes of fields that are held at a time.
  static let bytesLimit = 8 << 20

  private let store: CatalogStore
  private let mapping: ProductMapping
  private let reserved: ReservedSKUs
  private let codes: Set<String>
  /// Store views whose names the OMS gets.
  private let views: Set<String>
  /// Waits until the outbox has room for a batch.
  private let room: @Sendable () async throws -> Void
  /// Told when messages have been added.
  private let added: @Sendable () -> Void

  private var parser = CSVParser()
  private var file: ProductCSV?
  private var waiting: [(line: Int, product: FileProduct)] = []
  /// Of all that waits.
  private(set) var bytes = 0
  private(set) var outcome = ImportOutcome()

  init(
    _ store: CatalogStore, _ mapping: Mapping, _ facts: ShopFacts, room: @escaping @Sendable () async throws -> Void,
    added: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.mapping = ProductMapping(mapping, facts)
    reserved = ReservedSKUs(mapping)
    codes = ProductMapping.attributeCodes(mapping)
    views = Set(facts.namedViews.map(\.code))
    self.room = room
    self.added = added
  }

  /// Reads the next part.
  ///
  /// - Throws: ``CSVProblem`` when the file can't be read any further; what comes before its line is taken over with ``finish()``.
  mutating func add(_ part: [UInt8]) async throws {
    // In small steps: rows are handed over between them.
    for start in stride(from: 0, to: part.count, by: 64 << 10) {
      var rows: [CSVRow] = []
      do {
        try parser.feed(Array(part[start..<min(start + (64 << 10), part.count)])) { rows.append($0) }
      } catch {
        try await take(rows)
        throw error
      }
      try await take(rows)
    }
  }

  /// The end of the file.
  mutating func end() async throws {
    var rows: [CSVRow] = []
    try parser.finish { rows.append($0) }
    try await take(rows)
    guard file != nil else {
      throw CSVProblem(line: 1, reason: "the file is empty; send a product CSV as the shop exports it")
    }
    try await flush(all: true)
  }

  private mutating func take(_ rows: [CSVRow]) async throws {
    for row in rows {
      if let file { take(row, file) } else { file = try ProductCSV(header: row, codes: codes) }
      if waiting.count > CatalogRules.batch || bytes > Self.bytesLimit { try await flush(all: false) }
    }
  }

  private mutating func take(_ row: CSVRow, _ file: ProductCSV) {
    do throws(ProductProblem) {
      switch try file.row(row) {
      case .product(let product):
        outcome.read += 1
        waiting.append((row.line, product))
        bytes += product.bytes
      case .name(let sku, let view, let name):
        guard let last = waiting.indices.last, waiting[last].product.sku == sku else {
          throw ProductProblem(sku, "says something of store view \(view) and does not follow its product")
        }
        guard !name.isEmpty, views.contains(view) else { break }
        let before = waiting[last].product.localNames.updateValue(name, forKey: view)
        bytes += name.utf8.count - (before?.utf8.count ?? 0)
      case .continuation: break
      }
    } catch {
      outcome.read += 1
      outcome.note(Issue(sku: error.sku, place: row.line, reason: error.description))
    }
  }

  /// Takes over what waits.
  ///
  /// - Parameter all: whether no more rows come; otherwise the last product may go on in the next row.
  private mutating func flush(all: Bool) async throws {
    let batch = Array(all ? waiting[...] : waiting.dropLast())
    waiting = all ? [] : Array(waiting.suffix(1))
    bytes = waiting.reduce(0) { $0 + $1.product.bytes }
    if batch.isEmpty { return }
    try await room()
    let (taken, batchOutcome) = try await store.takeOver(batch, mapping: mapping, reserved: reserved)
    if taken.exported > 0 || taken.deactivated > 0 { added() }
    outcome += batchOutcome
  }

  /// What was read before something went wrong is taken over too.
  mutating func finish() async throws { try await flush(all: true) }
}

/// What an import has done.
struct ImportOutcome: Sendable, Equatable {
  /// Rows of products.
  var read = 0
  var exported = 0
  var unchanged = 0
  var failed = 0
  /// The first of what failed, with their lines.
  var issues: [Issue] = []

  mutating func note(_ issue: Issue) {
    failed += 1
    if issues.count < CatalogRules.issues { issues.append(issue) }
  }

  static func += (sum: inout ImportOutcome, other: ImportOutcome) {
    sum.read += other.read
    sum.exported += other.exported
    sum.unchanged += other.unchanged
    sum.failed += other.failed
    sum.issues += other.issues.prefix(CatalogRules.issues - sum.issues.count)
  }
}
