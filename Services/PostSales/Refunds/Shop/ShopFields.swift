import Commerce
import Messages

/// Reads fields of what the shop answers. Absent and `null` are 0, or empty: Magento leaves out what was never set.
struct ShopFields {
  let value: JSONValue
  /// What it is, for errors: `order 7`.
  let owner: String

  /// An amount or a quantity; Magento keeps four places, and writes what PHP has calculated with more.
  func decimal(_ name: String) throws(CommerceError) -> Decimal {
    guard let text = text(of: name) else { return 0 }
    guard let number = Decimal(text) else { throw unreadable(name, text) }
    return number.rounded(4)
  }

  func integer(_ name: String) throws(CommerceError) -> Int64 {
    guard let text = text(of: name) else { return 0 }
    if text == "true" { return 1 }
    if text == "false" { return 0 }
    guard let number = Decimal(text)?.integer else { throw unreadable(name, text) }
    return Int64(number)
  }

  func text(_ name: String) -> String { value[name]?.string ?? "" }

  /// The field of both currencies.
  func sides(_ name: String, base: String? = nil) throws(CommerceError) -> Sides {
    Sides(order: try decimal(name), base: try decimal(base ?? "base_\(name)"))
  }

  /// As ``sides(_:base:)``, of the document or of its extension attributes: modules of Adobe Commerce write to either.
  func extended(_ name: String, base: String? = nil) throws(CommerceError) -> Sides {
    let own = try sides(name, base: base)
    guard own == .zero, let extension_ = value["extension_attributes"] else { return own }
    return try ShopFields(value: extension_, owner: owner).sides(name, base: base)
  }

  private func text(of name: String) -> String? {
    guard let member = value[name], member.kind != .null else { return nil }
    // A list is no number, and none is taken for 0.
    let text = member.scalar ?? member.excerpt
    return text.isEmpty ? nil : text
  }

  private func unreadable(_ name: String, _ text: String) -> CommerceError {
    CommerceError(.unreadable, status: 200, request: owner, "\(name) \"\(text.prefix(40))\" is no number")
  }
}
