import Commerce
import Messages

/// What the options of the mapped attributes are called: a product says them by their ids.
struct OptionLabels: Sendable, Equatable {
  /// How long a renamed option may keep its old name.
  static let age = Duration.seconds(3600)
  /// How soon the options are read again for an id that is not among them.
  static let ageForUnknown = Duration.seconds(60)

  /// Code → id → label.
  var labels: [String: [String: String]] = [:]
  /// Mapped attributes that the shop does not have.
  var missing: [String] = []

  /// What a value is called; of a multiple choice all of them. nil when it stands for itself.
  func label(_ code: String, _ value: String) -> String? {
    guard let labels = labels[code], !labels.isEmpty else { return nil }
    if let label = labels[value] { return label }
    let chosen = value.split(separator: ",")
    guard chosen.count > 1 else { return nil }
    let called = chosen.compactMap { labels[String($0)] }
    return called.count == chosen.count ? called.joined(separator: "|") : nil
  }

  /// Whether a product has a choice that is not known here.
  func lacksSome(of products: [ShopProduct]) -> Bool {
    products.contains { product in
      labels.contains { code, labels in
        !labels.isEmpty && (product.attributes[code] ?? []).contains { !$0.isEmpty && label(code, $0) == nil }
      }
    }
  }

  /// A request for each attribute.
  static func read(_ client: CommerceClient, codes: [String]) async throws -> OptionLabels {
    var found = OptionLabels()
    for code in codes {
      do {
        let attribute = try await client.getJSON("V1/products/attributes/\(CommerceClient.path(code))").root
        var labels: [String: String] = [:]
        for option in attribute["options"]?.elements ?? [] {
          guard let value = option["value"]?.scalar, !value.isEmpty,
            let label = option["label"]?.scalar
          else { continue }
          labels[value] = label
        }
        found.labels[code] = labels
      } catch let error as CommerceError where error.kind == .notFound {
        found.missing.append(code)
      }
    }
    return found
  }
}
