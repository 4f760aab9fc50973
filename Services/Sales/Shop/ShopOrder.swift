import Commerce
import Messages
import ServiceKit
import Storage

/// An order as the shop's REST API answers it, without whole gift-card codes: those are money, and are neither stored, logged nor
/// sent.
struct ShopOrder: Sendable {
  let message: Magento.Commerce.V1.Order
  /// JSON: what the merchant's own attributes are taken from, too.
  let content: [UInt8]
  /// SHA-256 of the content: another one means a change.
  let digest: [UInt8]

  var incrementID: String { message.incrementId }

  /// Of a number of the shop's; its column has 50 characters.
  static let incrementIDBytes = 64

  /// - Throws: ``UnreadableOrder``.
  init(_ value: JSONValue) throws(UnreadableOrder) {
    var content: [UInt8] = []
    Self.append(value, to: &content, isInCards: false)
    self.content = content
    digest = SHA256.digest(ofParts: [content])
    do throws(MessageError) {
      message = try Magento.Commerce.V1.Order(json: content)
    } catch {
      throw UnreadableOrder(
        incrementID: Self.text(value["increment_id"]), entityID: Int64(Self.text(value["entity_id"])) ?? 0,
        digest: digest, reason: "\(error)")
    }
    let id = message.incrementId
    guard !id.isEmpty, id.utf8.count <= Self.incrementIDBytes, !hasNUL(id) else {
      throw UnreadableOrder(
        incrementID: "", entityID: message.entityId, digest: digest,
        reason: "increment_id \"\(quotable(id))\" is none of 1 to \(Self.incrementIDBytes) bytes")
    }
  }

  /// - Throws: ``UnreadableOrder``.
  init(parsing json: [UInt8]) throws(UnreadableOrder) {
    let document: JSONDocument
    do throws(MessageError) {
      document = try JSONDocument(parsing: json)
    } catch {
      throw UnreadableOrder(incrementID: "", entityID: 0, digest: [], reason: "\(error)")
    }
    guard document.root.kind == .object else {
      throw UnreadableOrder(incrementID: "", entityID: 0, digest: [], reason: "it is no JSON object")
    }
    try self.init(document.root)
  }

  /// Whether it is one to be exported: paid for as far as the shop waits for that, and nothing done with it yet
  /// (magento-rules.md §6, "New orders").
  var isOpen: Bool { ["new", "processing"].contains(message.state) }

  /// Whether nothing will be sold by it any more.
  var isOver: Bool { ["canceled", "closed", "complete"].contains(message.state) }

  /// Nanoseconds since 1970; nil when the shop's text is no time.
  var createdAt: Int64? {
    guard let seconds = ShopTime.seconds(message.createdAt) else { return nil }
    // Far from the ends of what a clock can hold.
    return (0...4_102_444_800).contains(seconds) ? seconds * 1_000_000_000 : nil
  }

  // MARK: -

  private static func text(_ value: JSONValue?) -> String { value.map { $0.string ?? $0.text } ?? "" }

  /// Of a code only the last four characters stay. The parser's limit bounds the recursion.
  private static func append(_ value: JSONValue, to output: inout [UInt8], isInCards: Bool) {
    switch value.kind {
    case .object:
      output.append(UInt8(ascii: "{"))
      for (index, member) in value.members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        JSONText.append(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        let isCards = isInCards || member.name == "gift_cards"
        if isCards, let text = member.value.string {
          // The list itself as a text has codes all over.
          let isCode = isInCards && ["code", "c"].contains(member.name)
          JSONText.append(isCode ? String(text.suffix(4)) : isInCards ? text : "", to: &output)
        } else {
          append(member.value, to: &output, isInCards: isCards)
        }
      }
      output.append(UInt8(ascii: "}"))
    case .array:
      output.append(UInt8(ascii: "["))
      for (index, element) in (value.elements ?? []).enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        append(element, to: &output, isInCards: isInCards)
      }
      output.append(UInt8(ascii: "]"))
    default: output += value.serialized
    }
  }
}

/// What the shop calls an order and is none that can be read.
struct UnreadableOrder: Error, CustomStringConvertible {
  /// Empty when not even that can be read.
  let incrementID: String
  let entityID: Int64
  let digest: [UInt8]
  let reason: String

  var description: String {
    incrementID.isEmpty ? "no order that can be read: \(reason)" : "order \(quotable(incrementID)): \(reason)"
  }
}
