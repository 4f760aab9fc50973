/// What came of the try to deliver a message.
enum DeliveryOutcome: Sendable, Equatable {
  /// It has its effect, durably.
  ///
  /// - result: the reply, as JSON text.
  case delivered(result: [UInt8])
  /// It will never be taken as it is: another try is of no use.
  ///
  /// - reply: the error that was answered, as JSON text; empty if none was.
  case refused(String, reply: [UInt8] = [])
  /// It was not taken, and may be another time. What failed may have to do with the message: tries are counted.
  case failed(String)
  /// It was sent, and nothing came back in time. While others are answered it is the message's fault, and a counted try; when
  /// nobody is, the destination hangs: ``DispatchMachine/isCounted(_:_:_:)`` decides.
  case unanswered(String)
  /// Its destination does not take messages now, whatever they are: they all wait, and this is no try of the message.
  ///
  /// - retryAfter: what the destination asks for.
  case unavailable(String, retryAfter: Duration?)
  /// Nothing goes to the destination now, by somebody's will: nothing was tried, and all messages wait until that changes.
  case held(String)
}

extension DeliveryOutcome {
  /// Whether it counts as a try of the message itself, whatever becomes of others.
  var isTry: Bool {
    switch self {
    case .unanswered, .unavailable, .held: false
    case .delivered, .refused, .failed: true
    }
  }

  /// Empty for a success.
  var reason: String {
    switch self {
    case .delivered: ""
    case .refused(let reason, _), .failed(let reason), .unanswered(let reason), .unavailable(let reason, _),
      .held(let reason):
      reason
    }
  }
}
