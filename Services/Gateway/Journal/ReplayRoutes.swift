import Messages
import RPC
import ServiceKit

/// Why a message can't be delivered again.
struct ReplayRefusal: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Where messages go that are delivered again. One that nobody consumed when it came, and that was therefore ignored, may have
/// found its service since, by an upgrade of both the gateway and the service.
struct ReplayRoutes {
  private let store: JournalStore
  private let consumed: TopicWatcher.Ask
  /// What services said when they were first asked during this replay; nil when they didn't answer.
  private var methods: [ConnectorService: [String]?] = [:]

  init(store: JournalStore, consumed: @escaping TopicWatcher.Ask) {
    self.store = store
    self.consumed = consumed
  }

  /// - Returns: the message with its destination and its key.
  mutating func route(_ message: JournalMessage) async throws(ReplayRefusal) -> JournalMessage {
    guard message.destination.isEmpty else { return message }
    if message.method.isEmpty { throw ReplayRefusal("it could not be read when it came: \(message.reason)") }
    guard let method = BusMethod.named(message.method) else {
      throw ReplayRefusal("no running service consumes \(message.method)")
    }
    guard let known = await known(to: method.service) else {
      throw ReplayRefusal("\(method.service), which should consume \(message.method), does not answer")
    }
    guard known.contains(method.name) else {
      throw ReplayRefusal("no running service consumes \(message.method): \(method.service) does not know it")
    }
    var message = message
    message.destination = method.service.rawValue
    message.key = try await key(of: message, method)
    return message
  }

  private mutating func known(to service: ConnectorService) async -> [String]? {
    if let answer = methods[service] { return answer }
    let answer = await consumed(service)
    methods[service] = .some(answer)
    return answer
  }

  private func key(of message: JournalMessage, _ method: BusMethod) async throws(ReplayRefusal) -> String {
    do {
      let request = try JSONRPCRequest(parsing: try await store.body(message.id) ?? [])
      guard request.params?.kind == .object else {
        throw ReplayRefusal("its params are \(request.params == nil ? "missing" : "no object")")
      }
      return CallbackEdge.key(of: request, method)
    } catch let error as ReplayRefusal {
      throw error
    } catch {
      throw ReplayRefusal("the journal's copy can't be read: \(error)")
    }
  }
}
