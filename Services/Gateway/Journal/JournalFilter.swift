import Messages
import RPC
import Storage

/// Which messages of the journal. What is nil or empty does not count; all that is set has to fit.
struct JournalFilter: Sendable, Equatable {
  var direction: MessageDirection?
  var statuses: Set<MessageStatus> = []
  var method = ""
  var key = ""
  var deliveryID = ""
  /// Received at or after.
  var since: WallTime?
  /// Received before.
  var until: WallTime?

  /// Whether it leaves out anything by what a message is about; a direction alone does not.
  var isNarrow: Bool {
    !statuses.isEmpty || !method.isEmpty || !key.isEmpty || !deliveryID.isEmpty || since != nil || until != nil
  }

  /// What pages of one list have in common.
  var text: String {
    let numbers = [direction?.rawValue].compactMap { $0 } + [0] + statuses.map(\.rawValue).sorted()
    let times = [since, until].map { $0.map { "\($0.nanoseconds)" } ?? "-" }
    return (["\(numbers)", method, key, deliveryID] + times).joined(separator: "\u{0}")
  }
}

extension JournalFilter {
  /// A condition in SQL, and what is to be bound in it.
  struct Condition {
    enum Value {
      case integer(Int64)
      case text(String)
    }

    let sql: String
    private(set) var values: [Value]
    private let firstParameter: Int32

    init(_ filter: JournalFilter, firstParameter: Int32) {
      var parts: [String] = []
      var values: [Value] = []
      func add(_ comparison: String, _ value: Value) {
        parts.append("\(comparison) ?\(firstParameter + Int32(values.count))")
        values.append(value)
      }
      if let direction = filter.direction { parts.append("direction = \(direction.rawValue)") }
      if !filter.statuses.isEmpty {
        let numbers = filter.statuses.map(\.rawValue).sorted()
        parts.append("status IN (\(numbers.map { "\($0)" }.joined(separator: ", ")))")
        // The words of the index of what did not go well, without which SQLite does not see that it fits.
        if let first = numbers.first, first > 2 { parts.append("status > 2") }
      }
      if !filter.method.isEmpty { add("method =", .text(filter.method)) }
      if !filter.key.isEmpty { add("message_key =", .text(filter.key)) }
      if !filter.deliveryID.isEmpty {
        // The OMS's are JSON: a text may be given without its quotes.
        values += [.text(filter.deliveryID), .text(JSONText.quoted(filter.deliveryID))]
        let last = firstParameter + Int32(values.count) - 1
        parts.append("delivery_id IN (?\(last - 1), ?\(last))")
      }
      if let since = filter.since { add("received_at >=", .integer(since.nanoseconds)) }
      if let until = filter.until { add("received_at <", .integer(until.nanoseconds)) }
      sql = parts.isEmpty ? "" : " AND " + parts.joined(separator: " AND ")
      self.values = values
      self.firstParameter = firstParameter
    }

    func bind(to statement: Statement) throws {
      for (index, value) in values.enumerated() {
        let parameter = firstParameter + Int32(index)
        switch value {
        case .integer(let integer): try statement.bind(integer, at: parameter)
        case .text(let text): try statement.bind(text, at: parameter)
        }
      }
    }
  }
}

extension JournalFilter {
  /// - Throws: INVALID_ARGUMENT.
  init(_ message: Omsconnector.V1.MessageFilter?) throws(RPCError) {
    guard let message else { return }
    direction = try Self.known(message.direction, "filter.direction")
    for status in message.statuses {
      guard let status = try Self.known(status, "filter.statuses") else {
        throw .invalid(field: "filter.statuses", "filter.statuses: \(MessageStatus()) is no status; leave it out")
      }
      statuses.insert(status)
    }
    (method, key, deliveryID) = (message.method, message.key, message.deliveryId)
    since = try Self.time(message.since, "filter.since")
    until = try Self.time(message.until, "filter.until")
  }

  private static func known<Value: MessageEnum>(_ value: Value, _ field: String) throws(RPCError) -> Value? {
    if value.rawValue == 0 { return nil }
    guard value.name == nil else { return value }
    let names = Value.valueNames.dropFirst().map { "\($0.name)" }.joined(separator: ", ")
    throw .invalid(field: field, "\(field): \(value) is not one of \(names)")
  }

  private static func time(_ timestamp: Google.Protobuf.Timestamp?, _ field: String) throws(RPCError) -> WallTime? {
    guard let timestamp else { return nil }
    guard let time = WallTime(timestamp) else {
      let given = "\(timestamp.seconds) s and \(timestamp.nanos) ns"
      throw .invalid(field: field, "\(field): \(given) is not a moment between the years 1678 and 2261")
    }
    return time
  }
}
