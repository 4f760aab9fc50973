import Messages

/// Masks JSON by its names and, in all of its strings and numbers, by what secrets look like. Everything else stays as it was
/// written. Where the text is no JSON, it is masked as text besides: it never shows more for being broken.
enum JSONMasking {
  /// Of JSON in strings of JSON; deeper ones are not shown.
  private static let maximumDepth = 4

  /// JSON, what was JSON once, or text with some in it.
  static func looksLikeJSON(_ bytes: [UInt8]) -> Bool {
    bytes.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") } && bytes.contains(UInt8(ascii: "\""))
      || bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "\"")
  }

  static func masked(_ bytes: [UInt8], isCut: Bool, inherited: MaskedKind? = nil, depth: Int = 0) -> [UInt8] {
    guard depth <= maximumDepth else { return Array(MaskedKind.mask.utf8) }
    let scanned = JSONLeaves(bytes, isCut: isCut, inherited: inherited)
    guard scanned.isBroken else {
      let replacements = scanned.leaves.compactMap { replacement($0, in: bytes, isCut: isCut, depth: depth) }
      return Replacement.apply(replacements, to: bytes, isCut: isCut)
    }
    let plain = JSONStringText.unescapingAlphanumerics(bytes)
    let leaves = JSONLeaves(plain, isCut: isCut, inherited: inherited).leaves
    let replacements =
      leaves.compactMap { replacement($0, in: plain, isCut: isCut, depth: depth) }
      + TextMasking.replacements(in: plain, isBrokenJSON: true)
    return Replacement.apply(replacements, to: plain, isCut: isCut)
  }

  private static func replacement(
    _ leaf: JSONLeaves.Leaf, in bytes: [UInt8], isCut: Bool, depth: Int
  ) -> Replacement? {
    let shown: [UInt8]?
    if let content = leaf.content {
      let text = JSONStringText.decode(bytes[content])
      let isOpen = isCut && leaf.range.upperBound == bytes.count
      shown = string(text, leaf.kind, isCut: isOpen, isEscaped: text.count != content.count, depth)
    } else {
      shown = word(bytes[leaf.range], leaf.kind)
    }
    guard let shown else { return nil }
    var text: [UInt8] = []
    JSONText.append(String(decoding: shown, as: UTF8.self), to: &text)
    return Replacement(range: leaf.range, text: text)
  }

  /// - Returns: nil when the string may be shown as it is.
  private static func string(
    _ text: [UInt8], _ kind: MaskedKind?, isCut: Bool, isEscaped: Bool, _ depth: Int
  ) -> [UInt8]? {
    let isNested = looksLikeJSON(text)
    switch kind {
    case .giftCard where isNested, .card where isNested, .account where isNested:
      return masked(text, isCut: isCut, inherited: kind, depth: depth + 1)
    case let kind?:
      return text.isEmpty ? nil : Array(kind.shown(text).utf8)
    case nil:
      let shown = isNested ? masked(text, isCut: isCut, depth: depth + 1) : TextMasking.masked(text, isCut: isCut)
      // What is held back where the text is cut, is held back of the whole text, too; but an escape is longer there.
      let isOnlyCut = isCut && !isEscaped && text.starts(with: shown)
      return shown == text || isOnlyCut ? nil : shown
    }
  }

  private static func word(_ word: ArraySlice<UInt8>, _ kind: MaskedKind?) -> [UInt8]? {
    if JSONLeaves.literals.contains(where: word.elementsEqual) { return nil }
    if let kind { return Array(kind.shown(word).utf8) }
    if JSONLeaves.isNumber(word) { return cardDigits(word).map { Array(MaskedKind.card.shown($0).utf8) } }
    return TextMasking.masked(Array(word)) == Array(word) ? nil : Array(MaskedKind.mask.utf8)
  }

  /// Also of 4111111111111111.0 and 4.111111111111111e15, but 19.989999999999998 is no card, whatever its digits.
  private static func cardDigits(_ number: ArraySlice<UInt8>) -> [UInt8]? {
    let mantissa = number.prefix { $0 | 0x20 != UInt8(ascii: "e") }
    let part = mantissa.count < number.count ? mantissa : mantissa.prefix { $0 != UInt8(ascii: ".") }
    let digits = part.filter { (0x30...0x39).contains($0) }
    return CardNumbers.isCard(digits) ? digits : nil
  }
}
