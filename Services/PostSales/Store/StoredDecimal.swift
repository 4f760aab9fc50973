import Commerce
import Storage

/// Exact numbers as texts of the store.
enum StoredDecimal {
  static func read(_ statement: Statement, _ column: Int32) throws(StorageError) -> Decimal {
    let text = statement.text(column)
    guard let number = Decimal(text) else {
      throw StorageError(.corrupt, "\"\(text.prefix(40))\" in the store is no decimal number")
    }
    return number
  }
}
