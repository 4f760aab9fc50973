import Messages
import Storage

/// `common.error_management.notify`: tells the OMS of a message that it has not taken and will not get any more. Source:
/// messages.md §2, no. 27; connector.md §6, "Error reporting".
enum ErrorNotice {
  static let method = "magento.common.error_management.notify"
  static let route = BusRoute.delegate
  /// Characters of the reason that are told.
  static let messageCharacters = 500
  /// Bytes of the message that was given up that are told: who reads it wants to know what it was, not to have it.
  static let bodyBytes = 8 << 10

  /// - Returns: nil when the message is such a notice itself.
  static func of(_ message: PendingMessage, reason: String) -> OutgoingMessage? {
    guard message.method != method else { return nil }
    var body: [UInt8] = []
    body += #"{"topic":"#.utf8
    JSONText.append(message.method, to: &body)
    body += #","message":"#.utf8
    JSONText.append(String(reason.prefix(messageCharacters)), to: &body)
    body += #","delivery_id":"#.utf8
    JSONText.append(message.deliveryID, to: &body)
    body += #","payload":{"method":"#.utf8
    JSONText.append(message.method, to: &body)
    body += #","key":"#.utf8
    JSONText.append(message.key, to: &body)
    // A notice may end in somebody's mail (connector.md §6): it has no more of the message than operators see. As a text, since
    // what is cut is no JSON any more.
    let shown = MaskedText(message.body, limit: bodyBytes)
    body += #","body":"#.utf8
    JSONText.append(shown.text, to: &body)
    body += #","body_cut":\#(shown.isCut)}}"#.utf8
    return OutgoingMessage(
      deliveryID: deliveryID(message), method: method, key: "", destination: route.rawValue, body: body,
      traceparent: message.traceparent)
  }

  /// As unique as the message's, one for each time that it was given up.
  private static func deliveryID(_ message: PendingMessage) -> String {
    let digest = SHA256.digest(ofParts: [Array("\(message.replayCount)".utf8), Array(message.deliveryID.utf8)])
    return "notify-" + digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
