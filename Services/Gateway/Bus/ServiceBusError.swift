/// Why a call of the service bus failed. The description says what to do about it where that is known.
enum ServiceBusError: Error, Equatable, CustomStringConvertible {
  /// No answer.
  case unreachable(String)
  /// The OAuth server gives no token.
  case noToken(String)
  /// The bus does not take the token, a new one neither.
  case unauthorized
  /// The bus wants the message sent elsewhere, which is not done: it is for whoever sets OMS_URL to say where messages and
  /// tokens go.
  case redirected(status: Int, String)
  /// The bus answered with an error.
  case refused(status: Int, String)

  var description: String {
    switch self {
    case .unreachable(let reason): reason
    case .noToken(let reason): "no OAuth token: \(reason)"
    case .unauthorized:
      "the OMS answers 401: check OMS_OAUTH_CLIENT_ID, OMS_OAUTH_CLIENT_SECRET and the client's rights in the OMS"
    case .redirected(_, let reason): "\(reason), which is not followed: check OMS_URL and the paths below it"
    case .refused(let status, let reason): "the OMS answers \(status): \(reason)"
    }
  }

  /// Whether the bus has refused a registration because there is one of that id. One stand-in says so in the database's
  /// words. Source: connector.md §2.1, "Edge cases".
  var meansDuplicate: Bool {
    guard case .refused(let status, let reason) = self else { return false }
    let text = reason.lowercased()
    return status == 409 || ["duplicate", "already", "exists", "unique"].contains { text.contains($0) }
  }

  /// As ``meansDuplicate``, or in a way in which buses fail for other reasons, too: after an exception the body may be empty.
  /// Source: messages.md §1, "Envelope".
  var mayMeanDuplicate: Bool {
    if case .refused(status: 500, _) = self { return true }
    return meansDuplicate
  }

  /// Whether the bus may have refused to take a registration back because there is none.
  var mayMeanUnknown: Bool {
    guard case .refused(_, let reason) = self else { return false }
    let text = reason.lowercased()
    let words = [
      "no endpoint", "not registered", "unregistered", "unknown endpoint", "not found", "does not exist", "unknown id",
    ]
    return words.contains { text.contains($0) }
  }

  /// Whether the answer to anything that is sent sounds as if the bus did not know the connector (any more): a reason for
  /// ``Registrar/suspectLost()``. An order that is not found is none, nor a customer who is not registered: what an application has
  /// to say comes with 2xx or 5xx, and only endpoints are the bus's own business whatever the status.
  var mayMeanUnregistered: Bool {
    guard case .refused(let status, let reason) = self else { return false }
    let text = reason.lowercased()
    if ["no endpoint", "unknown endpoint"].contains(where: { text.contains($0) }) { return true }
    return [403, 404, 410].contains(status) && ["not registered", "unregistered"].contains { text.contains($0) }
  }

  /// Whether the bus does not know the method that it was asked for, or does not let this client ask, for good: missing
  /// rights are 401, and buses refuse what they don't know in many ways. Not what passes: no connection, overload.
  var meansCannotBeAsked: Bool {
    switch self {
    case .unauthorized: true
    case .refused(let status, _): ![408, 429, 502, 503, 504].contains(status)
    case .unreachable, .noToken, .redirected: false
    }
  }
}
