import Messages

/// Times as Magento writes and compares them: UTC, whole seconds, without a zone.
public enum ShopTime {
  /// `2024-02-03 04:05:06`
  ///
  /// - Parameter seconds: since 1970; outside of the years 1 to 9999 it becomes the nearest of them.
  public static func text(_ seconds: Int64) -> String {
    let clamped = min(max(seconds, -62_135_596_800), 253_402_300_799)
    let text = Google.Protobuf.Timestamp(seconds: clamped).text
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))"
  }

  /// Seconds since 1970; nil when the text is no time.
  public static func seconds(_ text: String) -> Int64? {
    do throws(MessageError) {
      return try Google.Protobuf.Timestamp(parsing: text).seconds
    } catch {
      return nil
    }
  }
}
