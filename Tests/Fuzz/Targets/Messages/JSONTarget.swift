import Messages

/// Any text as any message. What decodes is encoded and decoded again to something equal, in JSON and in bytes.
final class JSONTarget: FuzzTarget {
  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = Input(bytes)
    let type = input.choice(of: messageTypes)
    Self.run(type, input.remainder())
  }

  private static func run<M: Message>(_ type: M.Type, _ text: [UInt8]) {
    guard let message = try? M(json: text) else { return }
    let bytes = message.serialized()
    for encoded in [message.json(), message.json(writesDefaults: true)] {
      guard let again = try? M(json: Array(encoded.utf8)) else {
        fatalError("\(M.fullName) does not decode what it encodes: \(encoded)")
      }
      require(again.serialized() == bytes, "\(M.fullName) changes from \(bytes) to \(again.serialized()): \(encoded)")
    }
    guard let again = try? M(serialized: bytes) else {
      fatalError("\(M.fullName) has read \(String(decoding: text, as: UTF8.self)), but not its own bytes: \(bytes)")
    }
    require(again.serialized() == bytes, "\(M.fullName) changes from \(bytes) to \(again.serialized())")
  }
}
