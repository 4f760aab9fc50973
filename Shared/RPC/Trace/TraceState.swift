/// The rules for `tracestate` (§3.3.1): what is not valid is not passed on.
enum TraceState {
  /// What is passed on at most, in bytes: as much as everybody has to (§3.3.1.5).
  static let limit = 512
  private static let memberLimit = 32

  static func isValid(_ text: String) -> Bool {
    guard text.utf8.count <= limit else { return false }
    var keys: Set<Substring> = []
    var count = 0
    for member in text.split(separator: ",", omittingEmptySubsequences: false) {
      let member = member.trimmed
      if member.isEmpty { continue }
      count += 1
      let parts = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard count <= memberLimit, parts.count == 2, isKey(parts[0].utf8), isValue(parts[1].utf8),
        keys.insert(parts[0]).inserted
      else { return false }
    }
    return count > 0
  }

  /// A name, or a tenant's name at a system's.
  private static func isKey(_ key: Substring.UTF8View) -> Bool {
    let parts = key.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return isName(parts[0], limit: 256, mayBeginWithDigit: false)
    case 2:
      return isName(parts[0], limit: 241, mayBeginWithDigit: true)
        && isName(parts[1], limit: 14, mayBeginWithDigit: false)
    default: return false
    }
  }

  private static func isName(_ name: Substring.UTF8View, limit: Int, mayBeginWithDigit: Bool) -> Bool {
    guard let first = name.first, name.count <= limit else { return false }
    guard first.isLowerCase || mayBeginWithDigit && first.isDigit else { return false }
    return name.allSatisfy { $0.isLowerCase || $0.isDigit || "_-*/".utf8.contains($0) }
  }

  /// Printable, neither `,` nor `=`; the space at its end has been cut off.
  private static func isValue(_ value: Substring.UTF8View) -> Bool {
    !value.isEmpty && value.count <= 256
      && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    guard let end = lastIndex(where: { !isBlank($0) }) else { return "" }
    return self[...end].drop(while: isBlank)
  }
}

extension UInt8 {
  fileprivate var isLowerCase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
