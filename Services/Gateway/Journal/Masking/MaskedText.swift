/// What of a message is shown to people: cut when it is long, without secrets, card data, gift-card codes and bank accounts. The
/// journal keeps the exact bytes.
struct MaskedText: Sendable, Equatable {
  /// Bytes that are looked at, and about as many are shown.
  static let limit = 64 << 10

  let text: String
  /// There is more than is shown.
  let isCut: Bool

  /// - Parameters:
  ///   - bytes: JSON, other text, or anything.
  ///   - limit: bytes to show at most.
  init(_ bytes: [UInt8], limit: Int = Self.limit) {
    let isLong = bytes.count > limit
    let window = Array(String(decoding: bytes.prefix(limit), as: UTF8.self).utf8)
    guard !window.contains(0) else {
      text = "(\(bytes.count) bytes that are no text)"
      isCut = false
      return
    }
    let shown =
      JSONMasking.looksLikeJSON(window)
      ? JSONMasking.masked(window, isCut: isLong) : TextMasking.masked(window, isCut: isLong)
    text = String(decoding: Self.prefix(shown, limit), as: UTF8.self)
    isCut = isLong || shown.count > limit
  }

  /// A short text of ours or of a peer: a reason, an error.
  static func line(_ text: String) -> String {
    let bytes = Array(text.utf8)
    return JSONMasking.looksLikeJSON(bytes)
      ? Self(bytes).text : String(decoding: TextMasking.masked(bytes), as: UTF8.self)
  }

  /// No character is cut in two.
  private static func prefix(_ bytes: [UInt8], _ limit: Int) -> ArraySlice<UInt8> {
    guard bytes.count > limit else { return bytes[...] }
    var end = limit
    while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return bytes[..<end]
  }
}
