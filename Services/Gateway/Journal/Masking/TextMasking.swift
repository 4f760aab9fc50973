/// Masks text that has no structure, by what secrets look like in it: `client_secret=…`, `Authorization: …`, `<password>…`,
/// bearer tokens, passwords in URLs, card numbers, IBANs. One pass for each, none goes back.
struct TextMasking {
  private let bytes: [UInt8]
  private let isBrokenJSON: Bool

  /// - Parameters:
  ///   - isCut: more followed, which is not there.
  ///   - isBrokenJSON: then whatever a `value` belongs to may not be known.
  static func masked(_ bytes: [UInt8], isCut: Bool = false, isBrokenJSON: Bool = false) -> [UInt8] {
    Replacement.apply(replacements(in: bytes, isBrokenJSON: isBrokenJSON), to: bytes, isCut: isCut)
  }

  static func replacements(in bytes: [UInt8], isBrokenJSON: Bool = false) -> [Replacement] {
    let masking = TextMasking(bytes: bytes, isBrokenJSON: isBrokenJSON)
    return masking.named() + masking.schemes() + masking.passwordsInURLs() + CardNumbers.replacements(in: bytes)
      + AccountNumbers.replacements(in: bytes)
  }

  // MARK: Values with a name

  private func named() -> [Replacement] {
    var found: [Replacement] = []
    var index = 0
    while index < bytes.count {
      guard Self.isNamePart(bytes[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, Self.isNamePart(bytes[index]) { index += 1 }
      let name = SensitiveName(bytes[start..<index])
      guard let kind = kind(of: name), let value = value(of: name, start..<index), !value.isEmpty else { continue }
      found.append(Replacement(range: value, text: Array(kind.shown(bytes[value]).utf8)))
      index = value.upperBound
    }
    return found
  }

  private func kind(of name: SensitiveName) -> MaskedKind? { isBrokenJSON && name.isPairValue ? .secret : name.kind }

  /// What stands behind a name and `=`, `:`, `=>`, or the `>` of its tag.
  private func value(of name: SensitiveName, _ range: Range<Int>) -> Range<Int>? {
    if isBrokenJSON { return valueInBrokenJSON(from: range.upperBound) }
    var index = skip(range.upperBound, Self.quotesAndBlanks)
    switch byte(index) {
    case UInt8(ascii: ":"): index += 1
    case UInt8(ascii: "="): index += byte(index + 1) == UInt8(ascii: ">") ? 2 : 1
    case UInt8(ascii: ">") where range.lowerBound > 0 && bytes[range.lowerBound - 1] == UInt8(ascii: "<"):
      let end = bytes[(index + 1)...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
      return (index + 1)..<end
    case UInt8(ascii: ","):
      // A pair: "name": "cvv", "value": "123".
      let start = skip(index, Self.quotesAndBlanks + [UInt8(ascii: ",")])
      guard bytes[start...].starts(with: "value".utf8) else { return nil }
      index = skip(start + "value".utf8.count, Self.quotesAndBlanks)
      guard byte(index) == UInt8(ascii: ":") || byte(index) == UInt8(ascii: "=") else { return nil }
      index += 1
    default: return nil
    }
    return valueRange(from: index, toEndOfLine: name.isHeader)
  }

  /// Whatever comes next: what is between the two may be what is broken. Of an array or object, where it ends is not known either.
  private func valueInBrokenJSON(from start: Int) -> Range<Int>? {
    var index = start
    var quote: (place: Int, escapes: Int)?
    var escapes = 0
    while index < bytes.count, !Self.isAlphanumeric(bytes[index]) {
      switch bytes[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): return index..<bytes.count
      case UInt8(ascii: "\\"): escapes += 1
      case UInt8(ascii: "\""): (quote, escapes) = ((index, escapes), 0)
      default: escapes = 0
      }
      index += 1
    }
    if let quote {
      let first = quote.place + 1
      let range = first..<closing(UInt8(ascii: "\""), from: first, escapes: quote.escapes)
      // `value` has one of its own.
      return SensitiveName(bytes[range]).isPairValue ? nil : range
    }
    return index..<(bytes[index...].firstIndex(where: Self.wordEnds.contains) ?? bytes.count)
  }

  private func valueRange(from start: Int, toEndOfLine: Bool) -> Range<Int> {
    var index = skip(start, Self.blanks)
    let escapes = index
    while byte(index) == UInt8(ascii: "\\") { index += 1 }
    switch byte(index) {
    case let quote? where quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"):
      return (index + 1)..<closing(quote, from: index + 1, escapes: index - escapes)
    case UInt8(ascii: "{"), UInt8(ascii: "["): return index..<containerEnd(from: index)
    default: break
    }
    let ends = toEndOfLine ? Self.lineEnds : Self.wordEnds
    return index..<(bytes[min(index, bytes.count)...].firstIndex(where: ends.contains) ?? bytes.count)
  }

  /// The quote that is not escaped more often than the opening one was; the backslashes before it belong to it.
  private func closing(_ quote: UInt8, from start: Int, escapes: Int) -> Int {
    var backslashes = 0
    for index in start..<max(start, bytes.count) {
      switch bytes[index] {
      case quote where backslashes <= escapes: return index - backslashes
      case UInt8(ascii: "\\"): backslashes += 1
      default: backslashes = 0
      }
    }
    return bytes.count
  }

  private func containerEnd(from start: Int) -> Int {
    var depth = 0
    for index in start..<bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      if depth == 0 { return index + 1 }
    }
    return bytes.count
  }

  // MARK: Tokens without a name

  /// What follows `Bearer` and `Basic` (RFC 6750, RFC 7617), and JSON Web Tokens, which begin with an encoded `{"`.
  private func schemes() -> [Replacement] {
    var found: [Replacement] = []
    var index = 0
    while index < bytes.count {
      guard Self.isTokenPart(bytes[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, Self.isTokenPart(bytes[index]) { index += 1 }
      if bytes[start..<index].starts(with: "eyJ".utf8), index - start >= 20 {
        found.append(Replacement(range: start..<index, text: Array(MaskedKind.mask.utf8)))
      } else if Self.isScheme(bytes[start..<index]), byte(index) == UInt8(ascii: " ") {
        let token = index + 1
        index = token
        while index < bytes.count, Self.isTokenPart(bytes[index]) { index += 1 }
        guard index - token >= 8 else { continue }
        found.append(Replacement(range: token..<index, text: Array(MaskedKind.mask.utf8)))
      }
    }
    return found
  }

  private static func isScheme(_ word: ArraySlice<UInt8>) -> Bool {
    guard word.count == 5 || word.count == 6 else { return false }
    let lowercase = word.map { $0 | 0x20 }
    return lowercase.elementsEqual("bearer".utf8) || lowercase.elementsEqual("basic".utf8)
  }

  /// `https://name:password@host`.
  private func passwordsInURLs() -> [Replacement] {
    var found: [Replacement] = []
    var index = 0
    while index + 3 <= bytes.count {
      guard bytes[index] == UInt8(ascii: ":"), bytes[index...].starts(with: "://".utf8) else {
        index += 1
        continue
      }
      index += 3
      let start = index
      var colon: Int?
      while index < bytes.count, !Self.authorityEnds.contains(bytes[index]) {
        if bytes[index] == UInt8(ascii: ":"), colon == nil { colon = index }
        if bytes[index] == UInt8(ascii: "@"), let colon, colon >= start {
          found.append(Replacement(range: (colon + 1)..<index, text: Array(MaskedKind.mask.utf8)))
          break
        }
        index += 1
      }
    }
    return found
  }

  // MARK: Characters

  private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  private func skip(_ start: Int, _ skipped: [UInt8]) -> Int {
    var index = start
    while index < bytes.count, skipped.contains(bytes[index]) { index += 1 }
    return index
  }

  private static let blanks = Array(" \t\r\n".utf8)
  private static let quotesAndBlanks = Array(" \t\r\n\"'\\".utf8)
  private static let lineEnds = Array("\r\n\"".utf8)
  private static let wordEnds = Array(" \t\r\n&,;<>\"')]}|".utf8)
  private static let authorityEnds = Array("/?# \t\r\n\"'<>\\".utf8)

  private static func isNamePart(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  private static func isTokenPart(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "._~+/=-".utf8.contains(byte) }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
