/// `application/x-www-form-urlencoded`, as the URL standard has it.
enum FormURLEncoding {
  static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
    Array(fields.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "&").utf8)
  }

  private static func escape(_ text: String) -> String {
    var output = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: output.unicodeScalars.append(Unicode.Scalar(byte))
      case _ where "-._*".utf8.contains(byte): output.unicodeScalars.append(Unicode.Scalar(byte))
      case 0x20: output += "+"
      default: output += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return output
  }
}
