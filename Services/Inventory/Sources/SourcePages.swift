import Messages

/// What the pages of a search for sources have said so far, and whether they can be trusted together.
///
/// Pages are cut by number, so what is created or deleted meanwhile moves the others: one may be missed. Nothing is taken for deleted
/// then.
struct SourcePages {
  static let pageSize = 100
  /// Sources at most: what answers more is no list of warehouses.
  static let sourceLimit = 20_000
  /// Pages at most; they may be smaller than was asked for.
  static let pageLimit = 1_000

  private(set) var sources: [Magento.Oms.V1.Source] = []
  /// Where the next page begins.
  private(set) var offset = 0
  /// Why sources that are missing need not be gone; nil as long as all fits.
  private(set) var doubt: String?
  private var pages = 0
  private var total: Int?
  private var ids = Set<String>()

  /// Takes over the next page.
  ///
  /// - Returns: whether another one has to be asked for.
  mutating func add(_ page: Magento.Oms.V1.SourceCollection) -> Bool {
    pages += 1
    let said = Int(page.total)
    if let total, total != said { doubt = doubt ?? "there were \(total) sources, then \(said)" }
    total = said
    for source in page.items where !source.id.isEmpty {
      if ids.insert(source.id).inserted {
        sources.append(source)
      } else {
        doubt = doubt ?? "\"\(source.id)\" came twice"
      }
    }
    offset += page.items.count
    if page.items.isEmpty || offset == said { return end() }
    if offset > said { doubt = doubt ?? "there are \(said) sources, but \(offset) came" }
    // Without a total that fits, the end is where nothing comes any more.
    if offset >= Self.sourceLimit || pages >= Self.pageLimit {
      doubt = doubt ?? "there are more than \(offset) sources"
      return end()
    }
    return true
  }

  private mutating func end() -> Bool {
    if let total, offset != total { doubt = doubt ?? "there are \(total) sources, but \(offset) came" }
    return false
  }
}
