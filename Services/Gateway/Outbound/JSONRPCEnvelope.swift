import Messages

/// A message as the bus takes it. Source: messages.md §1, "Envelope".
enum JSONRPCEnvelope {
  /// - Parameters:
  ///   - deliveryID: the request's id, by which the OMS can tell a message that comes again.
  ///   - params: JSON text, an object; its bytes are sent as they are.
  static func bytes(deliveryID: String, method: String, params: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(params.count + deliveryID.utf8.count + method.utf8.count + 64)
    bytes += #"{"jsonrpc":"2.0","id":"#.utf8
    JSONText.append(deliveryID, to: &bytes)
    bytes += #","method":"#.utf8
    JSONText.append(method, to: &bytes)
    bytes += #","params":"#.utf8
    bytes += params
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
