import Glibc

/// One line of the log: a JSON object and a newline.
///
/// At most `PIPE_BUF` bytes, so that the kernel never interleaves the lines of processes that share a pipe.
struct LogLine {
  /// Bytes of a line with its newline: `PIPE_BUF` on Linux.
  static let limit = 4096
  /// Bytes of one message or value before escaping; the rest is cut off and marked by `…`.
  static let textLimit = 1024
  /// Kept free for what closes a line: `,"truncated":true}`, and the closing of a list.
  private static let reserve = 32

  private(set) var bytes: [UInt8] = []
  private var isTruncated = false

  /// - Parameter time: nanoseconds since 1970.
  static func render<Fields: Collection>(
    time: Int64, level: LogLevel, service: String, message: String, fields: Fields
  ) -> [UInt8] where Fields.Element == (key: String, value: LogValue) {
    var line = LogLine()
    line.bytes.reserveCapacity(256)
    line.append("{\"time\":\"")
    line.append(Timestamp.rfc3339(nanoseconds: time))
    line.append("\",\"level\":\"\(level)\",\"service\":")
    line.appendText(service)
    line.append(",\"message\":")
    line.appendText(message)
    line.appendFields(fields)
    if line.isTruncated { line.append(",\"truncated\":true") }
    line.append("}\n")
    return line.bytes
  }

  private mutating func appendFields(_ fields: some Collection<(key: String, value: LogValue)>) {
    guard !fields.isEmpty else { return }
    append(",\"fields\":{")
    var isFirst = true
    for (name, value) in fields {
      let start = bytes.count
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      appendText(name)
      bytes.append(UInt8(ascii: ":"))
      appendValue(value)
      if bytes.count > Self.limit - Self.reserve {
        bytes.removeSubrange(start...)
        isTruncated = true
        break
      }
      isFirst = false
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func appendValue(_ value: LogValue) {
    switch value {
    case .text(let text): appendText(text)
    case .integer(let integer): append("\(integer)")
    case .number(let number) where number.isFinite: append("\(number)")
    case .number(let number): appendText("\(number)")
    case .bool(let bool): append(bool ? "true" : "false")
    case .list(let texts):
      bytes.append(UInt8(ascii: "["))
      for (index, text) in texts.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        appendText(text)
        // The field is dropped as a whole by the caller; here it only has to stop growing.
        if bytes.count > Self.limit { break }
      }
      bytes.append(UInt8(ascii: "]"))
    }
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func appendText(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var written = 0
    for scalar in text.unicodeScalars {
      let count = UTF8.width(scalar)
      guard written + count <= Self.textLimit else {
        append("…")
        isTruncated = true
        break
      }
      written += count
      appendEscaped(scalar)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Escapes what RFC 8259 §7 demands, and the C1 controls and line separators that terminals act on.
  private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x22: append("\\\"")
    case 0x5C: append("\\\\")
    case 0x0A: append("\\n")
    case 0x0D: append("\\r")
    case 0x09: append("\\t")
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
      let hex = String(scalar.value, radix: 16)
      append("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex)
    case 0..<0x80: bytes.append(UInt8(scalar.value))
    default: bytes.append(contentsOf: UTF8.encode(scalar)!)
    }
  }
}
