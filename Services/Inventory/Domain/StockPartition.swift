/// The part of an aggregate that a SKU is in, for pushing: always the same, so that under a lease per part no two requests are about
/// one SKU.
enum StockPartition {
  static let count = 16

  /// FNV-1a, 32 bits, folded: SKUs that differ in their last characters only are spread, too.
  static func of(_ sku: String) -> Int {
    var hash: UInt32 = 0x811c_9dc5
    for byte in sku.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    return Int((hash ^ hash >> 16) % UInt32(count))
  }
}
