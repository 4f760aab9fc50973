/// A part of a text that is shown as something else.
struct Replacement {
  var range: Range<Int>
  var text: [UInt8]

  /// At the end of a text that was cut, a number may be cut too and not be known for what it is: so much is not shown. The
  /// longest, an IBAN in groups, has 42 bytes.
  static let uncertainBytes = 64

  /// The text with all of them; where two overlap, nothing of either is shown.
  static func apply(_ replacements: [Replacement], to bytes: [UInt8], isCut: Bool) -> [UInt8] {
    let end = isCut ? max(0, bytes.count - uncertainBytes) : bytes.count
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var position = 0
    for replacement in merged(replacements) {
      if replacement.range.lowerBound >= end { break }
      output += bytes[position..<replacement.range.lowerBound]
      output += replacement.text
      position = replacement.range.upperBound
    }
    if position < end { output += bytes[position..<end] }
    return output
  }

  private static func merged(_ replacements: [Replacement]) -> [Replacement] {
    var result: [Replacement] = []
    for next in replacements.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      guard let last = result.last, last.range.upperBound > next.range.lowerBound else {
        result.append(next)
        continue
      }
      let end = max(last.range.upperBound, next.range.upperBound)
      result[result.count - 1] = Replacement(
        range: last.range.lowerBound..<end, text: Array(MaskedKind.mask.utf8))
    }
    return result
  }
}
