import Messages

/// Any bytes as any message. What decodes is encoded and decoded again to something equal; equal messages give equal bytes.
final class ProtobufTarget: FuzzTarget {
  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = Input(bytes)
    let type = input.choice(of: messageTypes)
    Self.run(type, input.remainder())
  }

  private static func run<M: Message>(_ type: M.Type, _ bytes: [UInt8]) {
    guard let message = try? M(serialized: bytes) else { return }
    let encoded = message.serialized()
    guard let again = try? M(serialized: encoded) else {
      fatalError("\(M.fullName) does not decode what it encodes: \(encoded)")
    }
    // Not a NaN that is unequal to itself: the bytes say what there is.
    require(again.serialized() == encoded, "\(M.fullName) changes from \(encoded) to \(again.serialized())")
    // JSON of whatever the bytes made; that it reads back is JSONTarget's to say, as a text may be one that JSON has not.
    _ = message.json()
  }
}
