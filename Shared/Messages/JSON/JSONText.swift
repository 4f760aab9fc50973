/// Writes JSON piece by piece. Knows no messages and needs no json-c, so that logs can use it.
public enum JSONText {
  /// Appends the text as a JSON string: quotes, with `"`, `\` and control characters escaped.
  public static func append(_ text: String, to output: inout [UInt8]) {
    var text = text
    text.withUTF8 { append(utf8: $0, to: &output) }
  }

  /// The text as a JSON string, cut to about `limit` characters with an ellipsis, for error messages.
  public static func quoted(_ text: String, limit: Int = .max) -> String {
    var output: [UInt8] = []
    append(text.count > limit ? String(text.prefix(limit)) + "…" : text, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// Appends UTF-8 text as a JSON string.
  static func append(utf8 text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    var (start, index) = (0, 0)
    while index < text.count {
      if needsEscape(text[index]) {
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
        appendEscape(text[index], to: &output)
        start = index + 1
      }
      index += 1
    }
    output.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    output.append(UInt8(ascii: "\""))
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0a: output.append(UInt8(ascii: "n"))
    case 0x0d: output.append(UInt8(ascii: "r"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
    default:
      let hexadecimal = Array("0123456789abcdef".utf8)
      output.append(contentsOf: "u00".utf8)
      output.append(hexadecimal[Int(byte >> 4)])
      output.append(hexadecimal[Int(byte & 15)])
    }
  }
}
