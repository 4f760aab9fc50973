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
    value.append(to: &content, member: Self.isWrittenOtherwise)
    self.content = content
    digest = SHA256.digest(ofParts: [content])
    do throws(MessageError) {
      var message: Magento.Commerce.V1.Order
      do throws(MessageError) {
        message = try .init(json: value)
      } catch {
        // The error shows what is wrong, which here can't be a code.
        message = try .init(json: content)
      }
      for index in message.extensionAttributes?.giftCards.indices ?? 0..<0 {
        message.extensionAttributes?.giftCards[index].code.hideCode()
      }
      self.message = message
    } catch {
      throw UnreadableOrder(
        incrementID: value["increment_id"]?.scalar ?? "", entityID: value["entity_id"]?.integer ?? 0,
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

  /// What is not kept as the shop has it: codes of gift cards, and the order's items, which each of its shipping assignments says
  /// again.
  private static func isWrittenOtherwise(
    _ name: UnsafeBufferPointer<UInt8>, _ value: JSONValue, _ output: inout [UInt8]
  ) -> Bool {
    if name.elementsEqual("gift_cards".utf8) {
      appendCards(value, to: &output)
    } else if name.elementsEqual("shipping_assignments".utf8) {
      value.append(to: &output) { name, value, output in
        guard name.elementsEqual("items".utf8) else { return isWrittenOtherwise(name, value, &output) }
        output += "[]".utf8
        return true
      }
    } else {
      return false
    }
    return true
  }

  /// Of a code only the last four characters stay. The list itself as a text has codes all over.
  private static func appendCards(_ cards: JSONValue, to output: inout [UInt8]) {
    guard cards.string == nil else {
      output += "\"\"".utf8
      return
    }
    cards.append(to: &output) { name, value, output in
      guard ["code", "c"].contains(where: { name.elementsEqual($0.utf8) }), var code = value.string else {
        return false
      }
      code.hideCode()
      JSONText.append(code, to: &output)
      return true
    }
  }
}

extension String {
  fileprivate mutating func hideCode() { self = String(suffix(4)) }
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
