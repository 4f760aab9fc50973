import Glibc

/// What HTTP/2 allows in names and values (RFC 9113 §8.2.1, §8.2.2). Who breaks it has sent a malformed message.
enum HeaderRules {
  /// Tokens of RFC 9110 §5.6.2 without upper case.
  private static let nameBytes: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for byte in UInt8(ascii: "a")...UInt8(ascii: "z") { table[Int(byte)] = true }
    for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { table[Int(byte)] = true }
    for byte in "!#$%&'*+-.^_`|~".utf8 { table[Int(byte)] = true }
    return table
  }()

  static func isName(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard !name.isEmpty else { return false }
    return nameBytes.withUnsafeBufferPointer { table in name.allSatisfy { table[Int($0)] } }
  }

  /// No NUL, CR or LF anywhere, no blank at either end.
  static func isValue(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = value.first, let last = value.last else { return true }
    guard first != 0x20, first != 0x09, last != 0x20, last != 0x09 else { return false }
    return value.allSatisfy { $0 != 0 && $0 != 0x0a && $0 != 0x0d }
  }

  /// Digits and nothing else (RFC 9110 §8.6), so few of them that nobody who counts down from them overflows; nil for
  /// everything else.
  static func contentLength(_ value: UnsafeBufferPointer<UInt8>) -> Int? {
    guard (1...18).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// Fields of HTTP/1.1 connections, which have no place here; `te` may be `trailers` alone.
  static func isConnectionSpecific(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    switch name.count {
    case 2: name.equals("te") && !value.equals("trailers")
    case 7: name.equals("upgrade")
    case 10: name.equals("connection") || name.equals("keep-alive")
    case 16: name.equals("proxy-connection")
    case 17: name.equals("transfer-encoding")
    default: false
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  @inline(__always) func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    guard let baseAddress else { return true }
    return memcmp(baseAddress, text.utf8Start, count) == 0
  }

  @inline(__always) func hasPrefix(_ text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount, let baseAddress else { return text.utf8CodeUnitCount == 0 }
    return memcmp(baseAddress, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
