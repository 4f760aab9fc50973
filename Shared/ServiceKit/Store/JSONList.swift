import Messages

/// Texts as a JSON array: how any number of them fits into one parameter, on both engines.
public enum JSONList {
  /// - Parameter texts: without NUL, which PostgreSQL's texts can't have.
  public static func text(of texts: [String]) -> String {
    var bytes = [UInt8(ascii: "[")]
    for (index, text) in texts.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      JSONText.append(text, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// - Returns: nil when it is no list of texts.
  public static func texts(of list: String) -> [String]? {
    do throws(MessageError) {
      let elements = try JSONDocument(parsing: Array(list.utf8)).root.elements
      let texts = elements?.compactMap(\.string)
      return texts?.count == elements?.count ? texts : nil
    } catch {
      return nil
    }
  }
}
