/// Reads JSON without ever giving up, and says of each string, number and name in it whether it is to be masked. Text that is no
/// JSON in places, or ends too early, is read for what it may have been meant to be, and said to be broken.
struct JSONLeaves {
  struct Leaf {
    /// In the text, quotes included.
    let range: Range<Int>
    /// Without the quotes; nil for what has none: numbers, true, false, null, and what is no JSON.
    let content: Range<Int>?
    /// Of the member that it is in.
    let name: SensitiveName
    /// It is a member's name itself.
    var isName = false
    var kind: MaskedKind?
  }

  private enum Expected { case name, colon, value, comma }

  /// An array or object that is open.
  private struct Frame {
    let isObject: Bool
    /// Of everything in it.
    let inherited: MaskedKind?
    var expected: Expected
    /// Of the member that comes next; empty in an array.
    var name: SensitiveName = .none
    var isEmpty = true
    /// What the name of a name-and-value pair stands for; nil as long as it was not seen.
    var pair: MaskedKind??
    /// Leaves of a pair's `value` that came before its name.
    var unnamed: Range<Int>?
    var unnamedStart: Int?
  }

  private let bytes: [UInt8]
  private let isCut: Bool
  private var position = 0
  private var frames: [Frame]
  private(set) var leaves: [Leaf] = []
  private(set) var isBroken = false

  /// - Parameters:
  ///   - isCut: more followed, so that the text may end anywhere.
  ///   - inherited: what all of it belongs to.
  init(_ bytes: [UInt8], isCut: Bool, inherited: MaskedKind?) {
    self.bytes = bytes
    self.isCut = isCut
    frames = [Frame(isObject: false, inherited: inherited, expected: .value)]
    while position < bytes.count { token() }
    finish()
  }

  private mutating func token() {
    let byte = bytes[position]
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D: position += 1
    case UInt8(ascii: "{"), UInt8(ascii: "["): open(isObject: byte == UInt8(ascii: "{"))
    case UInt8(ascii: "}"), UInt8(ascii: "]"): close(isObject: byte == UInt8(ascii: "}"))
    case UInt8(ascii: ":"): separate(.colon, next: .value)
    case UInt8(ascii: ","): separate(.comma, next: top.isObject ? .name : .value)
    case UInt8(ascii: "\""): string()
    default: word()
    }
  }

  private var top: Frame {
    get { frames[frames.count - 1] }
    _modify { yield &frames[frames.count - 1] }
  }

  // MARK: Structure

  private mutating func open(isObject: Bool) {
    let kind = beginValue()
    position += 1
    let isAccount = top.inherited == nil && top.name.isPlainAccount
    frames.append(
      Frame(isObject: isObject, inherited: isAccount ? nil : kind, expected: isObject ? .name : .value))
  }

  private mutating func close(isObject: Bool) {
    position += 1
    // One too many, or of the other kind: what is open stays open, and stays masked.
    guard frames.count > 1, top.isObject == isObject else {
      isBroken = true
      return
    }
    if top.expected != .comma, !top.isEmpty { isBroken = true }
    frames.removeLast()
    endValue()
  }

  private mutating func separate(_ expected: Expected, next: Expected) {
    position += 1
    top.isEmpty = false
    // Between values at the top there is nothing.
    if top.expected != expected || frames.count == 1 { isBroken = true }
    top.expected = next
  }

  /// - Returns: what the value is to be masked as.
  private mutating func beginValue() -> MaskedKind? {
    if top.expected != .value { isBroken = true }
    top.isEmpty = false
    let frame = top
    var kind = frame.inherited
    if kind == nil, frame.isObject { kind = frame.name.kind }
    if frame.isObject, frame.name.isPairValue {
      if let pair = frame.pair { kind = kind ?? pair } else { top.unnamedStart = leaves.count }
    }
    return kind
  }

  private mutating func endValue() {
    top.expected = .comma
    if let start = top.unnamedStart {
      top.unnamed = (top.unnamed?.lowerBound ?? start)..<leaves.count
      top.unnamedStart = nil
    }
  }

  private mutating func leaf(_ range: Range<Int>, content: Range<Int>?) {
    var kind = beginValue()
    let frame = top
    if let known = kind, frame.isObject, frame.inherited != nil, known.leavesOut(frame.name) { kind = nil }
    leaves.append(Leaf(range: range, content: content, name: frame.isObject ? frame.name : .none, kind: kind))
    endValue()
    guard frame.isObject, let content, frame.name.isPairName else { return }
    name(pair: SensitiveName(JSONStringText.decode(bytes[content])).kind)
  }

  private mutating func name(pair: MaskedKind?) {
    // Of several names the one that masks counts.
    if let known = top.pair, known != nil { return }
    top.pair = .some(pair)
    guard let pair, let unnamed = top.unnamed else { return }
    for index in unnamed where !leaves[index].isName && !pair.leavesOut(leaves[index].name) {
      leaves[index].kind = leaves[index].kind ?? pair
    }
  }

  /// What has a value and ends before its name may have any name.
  private mutating func finish() {
    if frames.count > 1, !isCut { isBroken = true }
    for frame in frames where frame.isObject && frame.pair == nil {
      guard let start = frame.unnamed?.lowerBound ?? frame.unnamedStart else { continue }
      for index in start..<leaves.count where leaves[index].kind == nil { leaves[index].kind = .secret }
    }
  }

  // MARK: Leaves

  private mutating func string() {
    let start = position
    position += 1
    var isClosed = false
    while position < bytes.count, !isClosed {
      switch bytes[position] {
      case UInt8(ascii: "\""): isClosed = true
      case UInt8(ascii: "\\"): position += 1
      case 0..<0x20: isBroken = true
      default: break
      }
      position += 1
    }
    position = min(position, bytes.count)
    if !isClosed, !isCut { isBroken = true }
    let content = (start + 1)..<max(start + 1, isClosed ? position - 1 : position)
    guard top.isObject, top.expected == .name else { return leaf(start..<position, content: content) }
    memberName(start..<position, content: content)
  }

  private mutating func word() {
    let start = position
    while position < bytes.count, !Self.wordEnds.contains(bytes[position]) { position += 1 }
    let word = bytes[start..<position]
    if !Self.literals.contains(where: word.elementsEqual), !Self.isNumber(word) {
      // The cut may have left the beginning of a literal.
      if !isCut || position < bytes.count { isBroken = true }
    }
    guard top.isObject, top.expected == .name else { return leaf(start..<position, content: nil) }
    isBroken = true
    memberName(start..<position, content: start..<position)
  }

  private mutating func memberName(_ range: Range<Int>, content: Range<Int>) {
    top.name = SensitiveName(JSONStringText.decode(bytes[content]))
    top.expected = .colon
    top.isEmpty = false
    leaves.append(Leaf(range: range, content: content, name: .none, isName: true))
  }

  static func isNumber(_ word: some Collection<UInt8>) -> Bool {
    word.contains { (0x30...0x39).contains($0) }
      && word.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
  }

  static let literals: [[UInt8]] = ["true", "false", "null"].map { Array($0.utf8) }
  private static let wordEnds = Array(" \t\r\n,:{}[]\"".utf8)
}
