import ServiceKit
import Storage

extension CatalogStore {
  /// Takes over products of a file in one transaction, with the messages for the OMS. What the file does not say is taken from what
  /// is known in that transaction: what came between, as by polling, stays, and nothing of the file is older than what is known.
  ///
  /// - Parameter batch: with their lines. Rows of the same product go on from each other.
  /// - Returns: also what has become of the rows, those aside that were read.
  func takeOver(
    _ batch: [(line: Int, product: FileProduct)], mapping: ProductMapping, reserved: ReservedSKUs
  ) async throws -> (taken: TakeOverOutcome, rows: ImportOutcome) {
    let weight = batch.reduce(1) { $0 + CatalogEntry.weight(bytes: $1.product.bytes) }
    return try await database.write(weight: weight, key: Self.key) { connection in
      var rows = ImportOutcome()
      let entries = try Self.entries(connection, of: batch, mapping, reserved, &rows)
      let last = Self.lastOfEach(entries)
      let taken = try takeOver(connection, last, sendsAll: false, facts: mapping.facts)
      rows.exported = taken.exported
      rows.unchanged = taken.unchanged + (entries.count - last.count)
      return (taken, rows)
    }
  }

  private static func entries(
    _ connection: Connection, of batch: [(line: Int, product: FileProduct)], _ mapping: ProductMapping,
    _ reserved: ReservedSKUs, _ outcome: inout ImportOutcome
  ) throws -> [CatalogEntry] {
    var known = try known(connection, skus: batch.map(\.product.sku))
    var entries: [CatalogEntry] = []
    for (line, product) in batch {
      do {
        if let problem = reserved.problem(of: product.sku, type: product.type) {
          throw ProductProblem(product.sku, problem)
        }
        let entry = try mapping.entry(of: product, known[product.sku])
        entries.append(entry)
        // Another row of the product goes on from here.
        let row = CatalogRow(entry, children: JSONList.text(of: entry.children), exportedAt: 0)
        known[product.sku] = try KnownProduct(row, told: entry.told)
      } catch let error as ProductProblem {
        outcome.note(Issue(sku: error.sku, place: line, reason: error.description))
      }
    }
    return entries
  }
}
