internal import CMessages

/// Checks JSON text (RFC 8259) and takes the blanks out, in one pass and without a tree: a tenth of what json-c needs to read
/// it and to write it again.
///
/// It leaves alone what is rare: escapes in texts, and whatever is wrong, of which the parser says what.
struct JSONCompactor {
  private let input: UnsafeBufferPointer<UInt8>
  private var output: UnsafeMutablePointer<UInt8>
  private var position = 0
  private var values = 0
  private var containers = 0
  /// A bit for each level that is open: whether it is an object. Deeper than this has bits, the parser looks at it.
  private var objects: UInt64 = 0
  private var depth = 0

  private static let maxDepth = 64

  /// - Returns: nil when the parser has to look at it.
  static func compact(_ text: [UInt8]) -> [UInt8]? {
    text.withUnsafeBufferPointer { input in
      guard let start = input.baseAddress, cm_check_text(start, input.count) == CM_TEXT_VALID else { return nil }
      var isGood = false
      let compact = [UInt8](unsafeUninitializedCapacity: input.count) { output, count in
        guard let first = output.baseAddress else { return }
        var compactor = JSONCompactor(input: input, output: first)
        isGood = compactor.run()
        count = compactor.output - first
      }
      return isGood ? compact : nil
    }
  }

  private init(input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>) {
    self.input = input
    self.output = output
  }

  /// The byte to look at; 0, which no text has, at the end.
  @inline(__always) private var next: UInt8 { position < input.count ? input[position] : 0 }

  @inline(__always) private mutating func copy() {
    output.pointee = input[position]
    output += 1
    position += 1
  }

  @inline(__always) private mutating func skipBlanks() {
    while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { position += 1 }
  }

  private mutating func run() -> Bool {
    repeat {
      // A value is due.
      skipBlanks()
      values += 1
      if values > JSONScanner.maxValues { return false }
      switch next {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let isObject = next == UInt8(ascii: "{")
        guard open(isObject) else { return false }
        skipBlanks()
        if next != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          if isObject, !name() { return false }
          continue
        }
      case UInt8(ascii: "\""): if !string() { return false }
      case UInt8(ascii: "t"): if !literal("true") { return false }
      case UInt8(ascii: "f"): if !literal("false") { return false }
      case UInt8(ascii: "n"): if !literal("null") { return false }
      default: if !number() { return false }
      }
      guard endValue() else { return false }
    } while depth > 0
    skipBlanks()
    return position == input.count
  }

  private mutating func open(_ isObject: Bool) -> Bool {
    depth += 1
    containers += 1
    if depth > Self.maxDepth || containers > JSONScanner.maxContainers { return false }
    objects = objects << 1 | (isObject ? 1 : 0)
    copy()
    return true
  }

  /// Behind a value: closes what ends here, up to where the next value is due or everything is closed.
  private mutating func endValue() -> Bool {
    while depth > 0 {
      skipBlanks()
      let isObject = objects & 1 == 1
      switch next {
      case UInt8(ascii: ","):
        copy()
        if !isObject { return true }
        skipBlanks()
        return name()
      case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
        copy()
        objects >>= 1
        depth -= 1
      default: return false
      }
    }
    return true
  }

  /// A member's name and the colon.
  private mutating func name() -> Bool {
    guard next == UInt8(ascii: "\""), string() else { return false }
    skipBlanks()
    guard next == UInt8(ascii: ":") else { return false }
    copy()
    return true
  }

  private mutating func string() -> Bool {
    copy()
    while next >= 0x20, next != UInt8(ascii: "\\") {
      let isEnd = next == UInt8(ascii: "\"")
      copy()
      if isEnd { return true }
    }
    return false
  }

  private mutating func literal(_ literal: StaticString) -> Bool {
    for index in 0..<literal.utf8CodeUnitCount {
      guard next == literal.utf8Start[index] else { return false }
      copy()
    }
    return true
  }

  /// RFC 8259 §6.
  private mutating func number() -> Bool {
    let isNegative = next == UInt8(ascii: "-")
    if isNegative { copy() }
    // "-0" is an integer to json-c, which writes 0; "-0.5" is too rare to be told from it.
    if next == UInt8(ascii: "0") {
      if isNegative { return false }
      copy()
    } else if !digits() {
      return false
    }
    if next == UInt8(ascii: ".") {
      copy()
      guard digits() else { return false }
    }
    if next | 0x20 == UInt8(ascii: "e") {
      copy()
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { copy() }
      guard digits() else { return false }
    }
    return true
  }

  private mutating func digits() -> Bool {
    let start = position
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { copy() }
    return position > start
  }

  // MARK: Well-formed text without blanks

  /// Where the value ends that begins at `start`.
  static func endOfValue(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int {
    var position = start
    var depth = 0
    repeat {
      switch text[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
      case UInt8(ascii: "\""): position = endOfString(text, at: position)
      case UInt8(ascii: ","), UInt8(ascii: ":"): position += 1
      default: position = endOfWord(text, at: position)
      }
    } while depth > 0
    return position
  }

  private static func endOfString(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int {
    var position = start + 1
    while text[position] != UInt8(ascii: "\"") { position += text[position] == UInt8(ascii: "\\") ? 2 : 1 }
    return position + 1
  }

  /// Of a number or a literal.
  private static func endOfWord(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int {
    var position = start
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): return position
      default: position += 1
      }
    }
    return position
  }
}
