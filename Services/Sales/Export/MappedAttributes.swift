import Commerce
import Messages

/// Custom attributes of an order, as the mapping file chooses them: values by the OMS's names (connector.md §2.13).
///
/// The shop's name is looked for where modules put their data: in `extension_attributes`, in `custom_attributes`, then among the
/// plain fields. What is absent or null is left out; lists and objects become JSON text.
struct MappedAttributes: Sendable {
  typealias Values = [(name: String, value: String)]

  var order: Values = []
  /// By order item; of a configurable product's two items both count, the parent first.
  var lines: [Int64: Values] = [:]
  /// By the address's entity id.
  var addresses: [Int64: Values] = [:]
  var payment: Values = []

  static let none = MappedAttributes()

  /// An attribute's value, in bytes: more is none that anybody maps.
  static let largestValue = 4_096

  private init() {}

  /// - Throws: when the content is no JSON, which it was when it was read.
  init(of shopOrder: ShopOrder, _ mapping: Mapping) throws(MessageError) {
    let levels: [Mapping.Level] = [.order, .line, .address, .payment]
    guard levels.contains(where: { !mapping.attributes(of: $0).isEmpty }) else { return }
    let root = try JSONDocument(parsing: shopOrder.content).root
    // Those have a place of their own, see ExportableOrder.
    let chosen = mapping.attributes(of: .order).filter { !TenderAttributes.sources.contains($0.source) }
    order = Self.values(of: root, chosen)
    if let paid = root["payment"] { payment = Self.values(of: paid, mapping.attributes(of: .payment)) }
    readLines(of: root, mapping.attributes(of: .line))
    readAddresses(of: root, mapping.attributes(of: .address))
  }

  private mutating func readLines(of root: JSONValue, _ chosen: [(source: String, name: String)]) {
    guard !chosen.isEmpty else { return }
    for item in root["items"]?.elements ?? [] {
      let values = Self.values(of: item, chosen)
      let (id, parent) = (item["item_id"]?.integer ?? 0, item["parent_item_id"]?.integer ?? 0)
      lines[id, default: []] += values
      guard parent != 0 else { continue }
      // The variant's, for what the configurable product itself does not say.
      let named = Set((lines[parent] ?? []).map(\.name))
      if Self.isConfigurable(root, parent) { lines[parent, default: []] += values.filter { !named.contains($0.name) } }
    }
  }

  private mutating func readAddresses(of root: JSONValue, _ chosen: [(source: String, name: String)]) {
    guard !chosen.isEmpty else { return }
    let assigned = root["extension_attributes"]?["shipping_assignments"]?.elements?.first?["shipping"]?["address"]
    for address in [root["billing_address"], assigned].compactMap({ $0 }) {
      addresses[address["entity_id"]?.integer ?? 0] = Self.values(of: address, chosen)
    }
  }

  private static func isConfigurable(_ root: JSONValue, _ id: Int64) -> Bool {
    let item = root["items"]?.elements?.first { $0["item_id"]?.integer ?? 0 == id }
    return item?["product_type"]?.string == "configurable"
  }

  private static func values(of value: JSONValue, _ chosen: [(source: String, name: String)]) -> Values {
    chosen.compactMap { source, name in
      guard let text = text(of: find(source, in: value)), text.utf8.count <= largestValue else { return nil }
      return (name, text)
    }
  }

  private static func find(_ name: String, in value: JSONValue) -> JSONValue? {
    if let found = value["extension_attributes"]?[name], found.kind != .null { return found }
    let custom = value["custom_attributes"]
    if let found = custom?[name], found.kind != .null { return found }
    let listed = custom?.elements?.first { $0["attribute_code"]?.string == name }
    return listed?["value"] ?? value[name]
  }

  private static func text(of value: JSONValue?) -> String? {
    guard let value, value.kind != .null else { return nil }
    return value.scalar ?? value.text
  }
}
