import HTTP

/// A part of a search by SKUs: as many as one request takes.
public struct SKUSearch: Sendable, Equatable {
  /// Of a URL, percent-encoded: half of what servers commonly take.
  static let bytes = 4_000

  /// What is asked for.
  public let skus: [String]

  /// What has to hold of what is found. The shop's database holds upper and lower case for equal.
  public var filter: SearchCriteria.Filter {
    // The shop takes a comma of a list for the end of a value.
    skus.count == 1 && skus[0].contains(",")
      ? .init("sku", .eq, skus[0]) : .init("sku", .in, skus.joined(separator: ","))
  }

  /// Two that together ask for the same; none of one SKU.
  public var halves: [SKUSearch] {
    if skus.count < 2 { return [] }
    return [skus.prefix(skus.count / 2), skus.dropFirst(skus.count / 2)].map { SKUSearch(skus: Array($0)) }
  }

  /// Cuts SKUs into parts, one of its own for each SKU with a comma.
  ///
  /// - Parameter count: SKUs of a part at most.
  public static func parts(of skus: some Sequence<String>, atMost count: Int = .max) -> [SKUSearch] {
    var parts: [SKUSearch] = []
    var (together, size): ([String], Int) = ([], 0)
    for sku in skus {
      if sku.contains(",") {
        parts.append(SKUSearch(skus: [sku]))
        continue
      }
      let bytes = PercentEncoding.encode("\(sku),").utf8.count
      if !together.isEmpty, together.count >= count || size + bytes > Self.bytes {
        parts.append(SKUSearch(skus: together))
        (together, size) = ([], 0)
      }
      together.append(sku)
      size += bytes
    }
    if !together.isEmpty { parts.append(SKUSearch(skus: together)) }
    return parts
  }
}
