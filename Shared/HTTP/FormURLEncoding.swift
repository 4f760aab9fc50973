/// `application/x-www-form-urlencoded`, as the URL standard has it.
public enum FormURLEncoding {
  public static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
    Array(fields.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "&").utf8)
  }

  /// A blank is a plus; a plus itself is always encoded.
  private static func escape(_ text: String) -> String {
    PercentEncoding.encode(text, keeping: "-._*").replacing("%20", with: "+")
  }
}
