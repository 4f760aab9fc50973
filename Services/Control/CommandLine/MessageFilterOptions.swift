import Messages

/// The options that say which messages of the journal.
enum MessageFilterOptions {
  static let names: Set<String> = ["status", "direction", "method", "key", "delivery-id", "since", "until"]
  static let statuses = ["PENDING", "SUCCESS", "IGNORED", "ERROR", "DEAD"]
  static let directions = ["in", "out"]

  static let help = """
      --status S[,S…]     PENDING, SUCCESS, IGNORED, ERROR (incoming, given up) or DEAD (outgoing, given up)
      --direction in|out  from the OMS, or to it
      --method NAME       e.g. magento.inventory.aggregate_stock_management.updated
      --key KEY           the order's id, or the aggregate's for stock
      --delivery-id ID    as the sender gave it, e.g. '"7f3a"'
      --since TIME        received at or after: 90m, 24h, or 2024-02-03T04:05:06Z
      --until TIME        received before

    """

  static func parse(_ options: [String: String]) throws(UsageError) -> Omsconnector.V1.MessageFilter {
    .init(
      direction: try direction(options["direction"]), statuses: try statuses(options["status"]),
      method: options["method"] ?? "", key: options["key"] ?? "", deliveryId: options["delivery-id"] ?? "",
      since: try time(options["since"], "since"), until: try time(options["until"], "until"))
  }

  private static func direction(_ text: String?) throws(UsageError) -> Omsconnector.V1.MessageDirection {
    switch text {
    case nil: return .unspecified
    case "in": return .incoming
    case "out": return .outgoing
    case let text?: throw UsageError("--direction: \"\(text)\" is not in or out")
    }
  }

  private static func statuses(_ text: String?) throws(UsageError) -> [Omsconnector.V1.MessageStatus] {
    guard let text else { return [] }
    var found: [Omsconnector.V1.MessageStatus] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let number = Omsconnector.V1.MessageStatus.valueNames
        .first { "\($0.name)" == "MESSAGE_STATUS_" + name.uppercased() }?.number
      guard let number, number != 0 else {
        throw UsageError("--status: \"\(name)\" is not one of \(statuses.joined(separator: ", "))")
      }
      found.append(.init(rawValue: number))
    }
    return found
  }

  private static func time(_ text: String?, _ option: String) throws(UsageError) -> Google.Protobuf.Timestamp? {
    guard let text else { return nil }
    return try SinceOption.parse(text, option: option)
  }
}

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
}
