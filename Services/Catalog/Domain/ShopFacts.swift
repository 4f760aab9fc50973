import Commerce
import Messages
import ServiceKit

/// What of the shop's set-up products need: channels, languages, the base currency, where pictures are.
struct ShopFacts: Sendable, Equatable {
  struct View: Sendable, Equatable {
    var code: String
    var channel: String
    /// As in en_US.
    var locale: String
    /// Whether the mapping names it or its website.
    var isMapped: Bool
  }

  /// Active store views; the first is the one whose name counts where only one is wanted.
  var views: [View] = []
  /// ISO 4217; empty when not known.
  var currency = ""
  /// With a slash at its end; empty when not known.
  var mediaURL = ""
  /// Codes of websites with an active store view that the mapping does not name.
  var unmappedWebsites: [String] = []

  /// Views whose own names the OMS gets. With one view there is nothing to tell apart: it shows what the product itself says.
  var namedViews: [View] {
    let mapped = views.filter(\.isMapped)
    return mapped.count > 1 ? mapped : []
  }

  /// The channel and language of a product's own name.
  var main: View? { views.first { $0.isMapped } ?? views.first }
}

extension ShopFacts {
  init(
    websites: [Magento.Commerce.V1.Website], views: [Magento.Commerce.V1.StoreView],
    configs: [Magento.Commerce.V1.StoreConfig], mapping: Mapping
  ) {
    let codes = Dictionary(websites.map { ($0.id, $0.code) }) { first, _ in first }
    let configsByID = Dictionary(configs.map { ($0.id, $0) }) { first, _ in first }
    // 0 is the administrator's.
    let active = views.filter { $0.id > 0 && $0.isActive }.sorted { $0.id < $1.id }
    self.views = active.map { view in
      let website = codes[view.websiteId] ?? ""
      let mapped = mapping.storeViews[view.code] ?? mapping.websites[website]?.channel
      // A website that nobody has mapped is its own channel; the doctor tells of it.
      return View(
        code: view.code, channel: mapped ?? website, locale: configsByID[view.id]?.locale ?? "", isMapped: mapped != nil
      )
    }
    let main = self.main.flatMap { main in active.first { $0.code == main.code } }.flatMap { configsByID[$0.id] }
    currency = main?.baseCurrencyCode ?? ""
    mediaURL = main.map { Self.withoutPub($0.baseMediaUrl) } ?? ""
    var unmapped: [String] = []
    for view in active where mapping.storeViews[view.code] == nil {
      let website = codes[view.websiteId] ?? "\(view.websiteId)"
      if mapping.websites[website] == nil, !unmapped.contains(website) { unmapped.append(website) }
    }
    unmappedWebsites = unmapped
  }

  /// A shop whose document root is its `pub` folder says so in its URLs all the same (connector.md §10).
  static func withoutPub(_ url: String) -> String {
    var parts = url.split(separator: "/", omittingEmptySubsequences: false)
    // https: / / host / pub / media
    if let pub = parts.indices.dropFirst(3).first(where: { parts[$0] == "pub" }) { parts.remove(at: pub) }
    let joined = parts.joined(separator: "/")
    return joined.isEmpty || joined.hasSuffix("/") ? joined : joined + "/"
  }

  /// The address of a product's picture; empty when it has none.
  ///
  /// - Parameter file: as in `/m/u/mug.jpg`.
  func imageURL(_ file: String?) -> String {
    guard let file, !file.isEmpty, file != "no_selection" else { return "" }
    if file.hasPrefix("http://") || file.hasPrefix("https://") { return file }
    guard !mediaURL.isEmpty else { return "" }
    let path = file.split(separator: "/").map { CommerceClient.path(String($0)) }.joined(separator: "/")
    return "\(mediaURL)catalog/product/\(path)"
  }
}
