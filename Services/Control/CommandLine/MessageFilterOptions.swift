import Messages

/// The options that say which messages of the journal.
enum MessageFilterOptions {
  static let names: Set<String> = ["status", "direction", "method", "key", "delivery-id", "since", "until"]
  static let statuses = ["PENDING", "SUCCESS", "IGNORED", "ERROR", "DEAD"]
  static let directions = ["in", "out"]

  static let help = """
      --status S[,S…]     PENDING, SUCCESS, IGNORED, ERROR (incoming, given up; or a call to the OMS that
                          failed) or DEAD (outgoing, given up)
      --direction in|out  from the OMS, or to it
      --method NAME       e.g. magento.inventory.aggregate_stock_management.updated
      --key KEY           the order's id; for stock the aggregate's, or outgoing the source's
      --delivery-id ID    as the sender gave it
      --since TIME        received at or after: 90m, 24h, 7d, or 2024-02-03T04:05:06Z
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
