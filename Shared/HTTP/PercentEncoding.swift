/// Percent-encoding (RFC 3986 §2.1).
public enum PercentEncoding {
  /// All but letters, digits, `-`, `.`, `_` and `~` (§2.3), which is also what OAuth signs (RFC 5849 §3.6).
  public static func encode(_ text: String) -> String { encode(text, keeping: "-._~") }

  /// - Parameter marks: what is kept besides ASCII letters and digits.
  static func encode(_ text: String, keeping marks: StaticString) -> String {
    var output = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: output.unicodeScalars.append(Unicode.Scalar(byte))
      case _ where marks.description.utf8.contains(byte): output.unicodeScalars.append(Unicode.Scalar(byte))
      default: output += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return output
  }
}
