/// Whole numbers on the command line.
enum NumberOption {
  static func parse(_ text: String?, option: String, default standard: Int) throws(UsageError) -> Int {
    guard let text else { return standard }
    guard let number = Int(text), number > 0 else {
      throw UsageError("--\(option): \"\(text)\" is not a whole number above 0")
    }
    return number
  }

  /// A message's number, as `journal list` shows it.
  static func messageID(_ text: String) throws(UsageError) -> Int64 {
    guard let id = Int64(text), id > 0 else {
      throw UsageError("\"\(text)\" is no message's number; omsctl journal list shows them")
    }
    return id
  }

  /// Magento's id of something.
  static func entityID(_ text: String) throws(UsageError) -> Int64 {
    guard let id = Int64(text), id > 0 else { throw UsageError("\"\(text)\" is no entity id of Magento") }
    return id
  }
}
