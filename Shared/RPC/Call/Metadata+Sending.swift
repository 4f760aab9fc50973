import Glibc

// What may go on the wire. Every call's metadata comes by here, on its way in or out: the checks look at bytes, as a
// `Character` or a hash for each field would cost more than all else that is done with it.

extension Metadata.Entry {
  /// Whether the value is bytes, and base64 on the wire.
  public var isBinary: Bool { name.withBytes { $0.count > 4 && $0.hasSuffix("-bin") } }

  /// Whether it may go on the wire as it is: RFC 9113 §8.2.1 and gRPC's reserved names.
  var isSendable: Bool {
    guard name.withBytes(Metadata.isName), !Metadata.isReserved(name) else { return false }
    if isBinary { return BinaryValue.isValid(value) }
    return value.withBytes { UnsafeRawBufferPointer($0).isPrintableASCII }
  }
}

extension Metadata {
  /// What goes on the wire.
  var sendable: LazyFilterSequence<[Entry]> { entries.lazy.filter(\.isSendable) }

  /// Names of gRPC's own that go with a call or a status like any other.
  private static let sendableProtocolNames: Set = [StatusDetails.name, Pushback.field, Metadata.previousAttempts]
  /// How often a client has made the call before (A6).
  static let previousAttempts = "grpc-previous-rpc-attempts"

  /// Letters, digits, `-`, `_` and `.`.
  fileprivate static func isName(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    for byte in bytes {
      switch byte {
      case 0x61...0x7a, 0x30...0x39, 0x2d, 0x5f, 0x2e: continue
      default: return false
      }
    }
    return !bytes.isEmpty
  }

  /// Fields of HTTP/2 and of gRPC that a caller can't set.
  fileprivate static func isReserved(_ name: String) -> Bool {
    switch name.utf8.count {
    case 2 where name == "te", 4 where name == "host", 7 where name == "upgrade": true
    case 10 where name == "connection" || name == "keep-alive" || name == "user-agent": true
    case 12 where name == "content-type", 14 where name == "content-length": true
    case 16 where name == "proxy-connection", 17 where name == "transfer-encoding": true
    default: name.withBytes { $0.hasPrefix("grpc-") } && !sendableProtocolNames.contains(name)
    }
  }
}

extension String {
  /// Strings of this platform are UTF-8 in one piece, so that nothing is copied.
  fileprivate func withBytes(_ body: (UnsafeBufferPointer<UInt8>) -> Bool) -> Bool {
    utf8.withContiguousStorageIfAvailable(body) ?? Array(utf8).withUnsafeBufferPointer(body)
  }
}

extension UnsafeBufferPointer<UInt8> {
  fileprivate func hasSuffix(_ text: StaticString) -> Bool {
    let start = count - text.utf8CodeUnitCount
    return start >= 0 && memcmp(baseAddress.unsafelyUnwrapped + start, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}

extension UnsafeRawBufferPointer {
  /// Whether every byte is one of 0x20 to 0x7e. Eight of them at a time: values are as long as a caller likes.
  fileprivate var isPrintableASCII: Bool {
    let (highBits, ones): (UInt64, UInt64) = (0x8080_8080_8080_8080, 0x0101_0101_0101_0101)
    var index = 0
    while index + 8 <= count {
      let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
      // A byte has its high bit set in the first when it is above 0x7e, and in the second when it is not below 0x20.
      let (above, notBelow) = (word | (word &+ ones), (word | highBits) &- 0x20 &* ones)
      guard above & highBits == 0, notBelow & highBits == highBits else { return false }
      index += 8
    }
    while index < count {
      guard (0x20...0x7e).contains(self[index]) else { return false }
      index += 1
    }
    return true
  }
}
