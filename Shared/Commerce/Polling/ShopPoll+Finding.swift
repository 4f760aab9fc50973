import Messages

extension ShopPoll {
  /// What the doctor says of a poll.
  ///
  /// - Parameters:
  ///   - check: the finding's name, as in `catalog-polling`.
  ///   - items: what is read, as in `products`.
  public func findings(_ check: String, of items: String) async throws -> [Omsconnector.V1.Finding] {
    let unreadable = try await unreadable()
    return [Self.finding(status, check, of: items)] + Self.finding(unreadable, check, of: items)
  }

  /// Items that the shop can't show.
  static func finding(
    _ unreadable: [UnreadableItems.Noted], _ check: String, of items: String
  ) -> [Omsconnector.V1.Finding] {
    guard let first = unreadable.first else { return [] }
    let ids = unreadable.prefix(named).map { "\($0.id)" }.joined(separator: ", ")
    let more = unreadable.count > named ? " and \(unreadable.count - named) more" : ""
    return [
      .init(
        check: check, level: .error,
        message: "the shop can't show \(items) that have changed, so they are not read: entity_id \(ids)\(more); "
          + "\(first.id) was found at \(text(first.foundAt)): \(first.reason)",
        remedy:
          "look into the shop's var/log/exception.log and var/report, and see each alone in its admin panel: put back what "
          + "it was made with, such as the module of its payment method, or mend its data; it is read again by itself")
    ]
  }

  private static let named = 10

  static func finding(_ status: Status, _ check: String, of items: String) -> Omsconnector.V1.Finding {
    let last = status.lastRead.map { "; last read to the end \(text($0))" } ?? ""
    if let round = status.round {
      let soFar = "\(items) are read since \(text(round.startedAt)), \(round.read) so far"
      guard let failure = round.pageFailure else { return .init(check: check, level: .ok, message: soFar + last) }
      return .init(
        check: check, level: .warning, message: "\(soFar); it is tried again, but \(failure)\(last)", remedy: remedy)
    }
    if let failure = status.failure {
      return .init(
        check: check, level: .error, message: "\(items) can't be read: \(failure)\(last)", remedy: remedy)
    }
    return .init(
      check: check, level: .ok,
      message: status.lastRead.map { "\(items) last read \(text($0))" } ?? "\(items) not read yet")
  }

  private static let remedy =
    "see that the shop is up and answers within COMMERCE_TIMEOUT; the shop's own log may say why it does not"

  private static func text(_ nanoseconds: Int64) -> String { "\(ShopTime.text(nanoseconds / 1_000_000_000)) UTC" }
}
