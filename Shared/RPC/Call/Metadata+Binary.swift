internal import Messages

// Values that are bytes. On the wire they are base64: read with or without padding, written without, and left as they
// came when they are passed on.
extension Metadata {
  /// Adds bytes.
  /// - Parameter name: ends in `-bin`, which is what tells the peer that the value is base64; anything else is a
  ///   programming error and stops the process.
  public mutating func append(_ name: String, bytes: [UInt8]) {
    precondition(name.hasSuffix("-bin"), "metadata \(name): a name whose value is bytes ends in -bin")
    append(name, BinaryValue.encode(bytes))
  }

  /// The bytes of the first value of that name; nil without one.
  public subscript(binary name: String) -> [UInt8]? { binaryValues(of: name).first }

  /// The bytes of all values of that name. A peer, or a proxy on the way, may have joined several in one field with commas.
  public func binaryValues(of name: String) -> [[UInt8]] {
    guard name.hasSuffix("-bin") else { return [] }
    return values(of: name).flatMap { BinaryValue.decode($0) ?? [] }
  }
}

/// The value of a field whose name ends in `-bin`: base64, or several of them with commas in between.
enum BinaryValue {
  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    bytes.withUnsafeBufferPointer { Base64.append($0, to: &text, padded: false) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil when a part is not base64.
  static func decode(_ value: String) -> [[UInt8]]? {
    var values: [[UInt8]] = []
    for part in parts(of: value) {
      guard isBase64(part), let bytes = part.withContiguousStorageIfAvailable({ Base64.decode($0) }) ?? nil else {
        return nil
      }
      values.append(bytes)
    }
    return values
  }

  /// Whether `decode` can read it, without the memory for what it would return.
  static func isValid(_ value: String) -> Bool { parts(of: value).allSatisfy(isBase64) }

  /// Blanks around a comma belong to it (RFC 9110 §5.6.1).
  private static func parts(of value: String) -> [ArraySlice<UInt8>] {
    Array(value.utf8).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
      let start = part.firstIndex { $0 != 0x20 && $0 != 0x09 } ?? part.endIndex
      let end = part.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? start
      return part[start..<end]
    }
  }

  /// The standard alphabet only: what other peers refuse must not be passed on to them.
  private static func isBase64(_ text: ArraySlice<UInt8>) -> Bool {
    let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding == 0 || text.count % 4 == 0, (text.count - padding) % 4 != 1 else { return false }
    return text.dropLast(padding).allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        true
      default: false
      }
    }
  }
}
