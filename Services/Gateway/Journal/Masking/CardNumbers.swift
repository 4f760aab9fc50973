/// Finds card numbers: 13 to 19 digits (ISO/IEC 7812-1), together or in groups with a blank or a dash between them, whose last
/// digit is the check digit of the others (Luhn). One in ten other numbers of that length looks like one and is masked, too.
enum CardNumbers {
  private static let lengths = 13...19

  static func replacements(in bytes: [UInt8]) -> [Replacement] {
    var found: [Replacement] = []
    let groups = digitGroups(bytes)
    var first = 0
    while first < groups.count {
      if let last = lastGroup(of: groups, from: first, in: bytes) {
        let range = groups[first].lowerBound..<groups[last].upperBound
        found.append(Replacement(range: range, text: Array(MaskedKind.card.shown(bytes[range]).utf8)))
        first = last + 1
      } else {
        first += 1
      }
    }
    return found
  }

  /// Whether a number's digits are those of a card.
  static func isCard(_ digits: [UInt8]) -> Bool {
    lengths.contains(digits.count) && hasCheckDigit(digits)
  }

  private static func digitGroups(_ bytes: [UInt8]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var index = 0
    while index < bytes.count {
      guard isDigit(bytes[index]) else {
        index += 1
        continue
      }
      let start = index
      while index < bytes.count, isDigit(bytes[index]) { index += 1 }
      groups.append(start..<index)
    }
    return groups
  }

  /// The last group of the longest card number that begins with the group `first`.
  private static func lastGroup(of groups: [Range<Int>], from first: Int, in bytes: [UInt8]) -> Int? {
    var digits: [UInt8] = []
    var found: Int?
    for index in first..<groups.count {
      if index > first, !isSeparator(bytes, from: groups[index - 1].upperBound, to: groups[index].lowerBound) { break }
      guard digits.count + groups[index].count <= lengths.upperBound else { break }
      digits += bytes[groups[index]]
      if isCard(digits) { found = index }
    }
    return found
  }

  private static func isSeparator(_ bytes: [UInt8], from start: Int, to end: Int) -> Bool {
    end - start == 1 && (bytes[start] == UInt8(ascii: " ") || bytes[start] == UInt8(ascii: "-"))
  }

  private static func hasCheckDigit(_ digits: [UInt8]) -> Bool {
    var sum = 0
    var isDoubled = digits.count % 2 == 0
    for digit in digits {
      let value = Int(digit - 0x30) * (isDoubled ? 2 : 1)
      sum += value > 9 ? value - 9 : value
      isDoubled.toggle()
    }
    return sum % 10 == 0
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
