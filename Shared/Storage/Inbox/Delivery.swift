/// Something that is to have its effect once, however often it arrives.
public struct Delivery: Sendable {
  /// What it is, for whoever reads the inbox.
  public let method: String
  /// What makes it the same as another one.
  let identity: [UInt8]
  /// What has to be the same when the identity is; empty when the identity says it all.
  let content: [UInt8]

  /// A message of the bus. One with the same id but another body is another message: senders have been seen to begin their
  /// ids anew.
  ///
  /// - Parameter replay: how often an operator has replayed the message: each replay has its effect once.
  public init(id: String, method: String, replay: UInt32, body: [UInt8]) {
    self.method = method
    identity = SHA256.digest(ofParts: [
      Array("delivery".utf8), Array(id.utf8), Array(method.utf8), Array(String(replay).utf8), body,
    ])
    content = []
  }

  /// A request that its client has given an id, so as to send it again without a second effect. The same id with another
  /// content is the client's mistake.
  public init(requestID: String, method: String, content: [UInt8]) {
    self.method = method
    identity = SHA256.digest(ofParts: [Array("request".utf8), Array(requestID.utf8), Array(method.utf8)])
    self.content = SHA256.digest(ofParts: [content])
  }
}

/// A request's id was used before, for a request with another content. Nothing was done.
public struct RequestIDReused: Error, Sendable, Equatable {
  public init() {}
}
