import ServiceKit
import Storage

/// The limits of the catalog.
enum CatalogRules {
  /// A SKU is the key of its messages. The shop allows 64 characters.
  static let skuBytes = Outbox.maximumKeyBytes
  /// Of a name, or of an attribute's value: more than the shop's columns take.
  static let textBytes = 64 << 10
  /// Variants of one product.
  static let children = 10_000
  /// Products in one transaction, as the Connector sends them (connector.md §3).
  static let batch = 5_000
  /// Products, or SKUs, in one request.
  static let requested = 1_000
  /// Issues that are kept and answered.
  static let issues = 1_000

  /// - Returns: what is wrong with the SKU; nil when nothing is.
  static func problem(ofSKU sku: String) -> String? {
    if sku.isEmpty { return "sku is missing; send the product's SKU" }
    if sku.utf8.count > skuBytes { return "sku has \(sku.utf8.count) bytes; at most \(skuBytes)" }
    if hasNUL(sku) { return "sku has a NUL character; send the product's SKU" }
    return nil
  }
}

/// Why a product can't be taken over.
struct ProductProblem: Error, Sendable, Equatable, CustomStringConvertible {
  let sku: String
  let description: String

  init(_ sku: String, _ description: String) {
    self.sku = quotable(sku)
    self.description = description
  }
}

/// A product that was not taken over, and where it stood: a place in a list, or a line of a file; from 1.
struct Issue: Sendable, Equatable {
  var sku: String
  var place: Int
  var reason: String
}
