import HTTP
import Messages

/// What the bus says about its endpoints, in the shapes that are known: a list, a collection (`{items, total}`), or one
/// `remote_endpoint`. Source: messages.md §1, "Envelope" and "Query language"; §4.1.
struct BusAnswer {
  /// One registration, as far as the bus tells.
  struct Endpoint: Equatable {
    let id: String
    let url: String?
    let topics: [String]?
    let isEnabled: Bool?
  }

  /// nil when the answer is no list of endpoints.
  private let list: [Endpoint]?
  /// Endpoints that the bus has and did not show.
  private let isPartial: Bool

  /// - Parameter response: a success.
  init(_ response: HTTPResponse) {
    let result = (try? JSONDocument(parsing: response.body))?.root["result"]
    let rows = result?.elements ?? ["items", "endpoints"].lazy.compactMap { result?[$0]?.elements }.first
    list = rows.map { $0.compactMap(Endpoint.init) }
    let total = result?["total"]?.integer
    isPartial = total.map { $0 > rows?.count ?? 0 } ?? false
  }

  /// - Returns: the endpoints of that id; nil when the answer does not tell.
  func endpoints(of id: String) -> [Endpoint]? {
    guard let list else { return nil }
    let ours = list.filter { $0.id == id }
    return ours.isEmpty && isPartial ? nil : ours
  }

  /// Compares what is there with what should be; what the bus does not tell is taken to be right.
  func check(id: String, url: String, topics: [String]) -> RegistrationCheck {
    guard let ours = endpoints(of: id) else { return .unsupported("the answer to discover lists no endpoints") }
    guard let endpoint = ours.first else { return .missing }
    if ours.count > 1 { return .copies(ours.count) }
    if let other = endpoint.url, other != url { return .differs("it calls \(other.prefix(200))") }
    if let others = endpoint.topics, Set(others) != Set(topics) {
      let missing = Set(topics).subtracting(others).count
      return .differs("of the topics, \(missing) are missing and \(Set(others).subtracting(topics).count) too many")
    }
    return endpoint.isEnabled == false ? .switchedOff : .present
  }
}

extension BusAnswer.Endpoint {
  init?(_ row: JSONValue) {
    guard let id = row["id"]?.string else { return nil }
    self.id = id
    url = ["peer_url", "url"].lazy.compactMap { row[$0]?.string }.first
    topics = row["subscribes"]?.elements?.compactMap(\.string)
    isEnabled = row["enabled"].flatMap { $0.kind == .bool ? $0.text == "true" : nil }
  }
}
