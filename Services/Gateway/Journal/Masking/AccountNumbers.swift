/// Finds IBANs (ISO 13616): a country, two check digits and up to 30 letters and digits, together or in groups of four.
enum AccountNumbers {
  private static let lengths = 15...34

  static func replacements(in bytes: [UInt8]) -> [Replacement] {
    var found: [Replacement] = []
    var index = 0
    while index + 4 <= bytes.count {
      let isStart = index == 0 || !isAlphanumeric(bytes[index - 1])
      if isStart, let end = end(in: bytes, from: index) {
        found.append(Replacement(range: index..<end, text: Array(MaskedKind.account.shown(bytes[index..<end]).utf8)))
        index = end
      } else {
        index += 1
      }
    }
    return found
  }

  /// Where the longest IBAN that begins at `start` ends.
  private static func end(in bytes: [UInt8], from start: Int) -> Int? {
    guard isLetter(bytes[start]), isLetter(bytes[start + 1]), isDigit(bytes[start + 2]), isDigit(bytes[start + 3])
    else {
      return nil
    }
    var characters: [UInt8] = []
    var index = start
    var found: Int?
    while index < bytes.count, characters.count < lengths.upperBound {
      if bytes[index] == UInt8(ascii: " "), characters.count % 4 == 0 { index += 1 }
      guard index < bytes.count, isAlphanumeric(bytes[index]) else { break }
      characters.append(bytes[index])
      index += 1
      let isEnd = index == bytes.count || !isAlphanumeric(bytes[index])
      if isEnd, lengths.contains(characters.count), hasCheckDigits(characters) { found = index }
    }
    return found
  }

  /// The first four to the end, letters as 10 to 35: the remainder by 97 is 1.
  private static func hasCheckDigits(_ characters: [UInt8]) -> Bool {
    var remainder = 0
    for byte in characters[4...] + characters[..<4] {
      let value = isDigit(byte) ? Int(byte - 0x30) : Int((byte | 0x20) - UInt8(ascii: "a")) + 10
      remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
    }
    return remainder == 1
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
}
