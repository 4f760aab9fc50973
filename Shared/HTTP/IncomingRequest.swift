import CMicroHTTPD

/// A request while libmicrohttpd hands it over in pieces. Lives on libmicrohttpd's thread only.
final class IncomingRequest {
  private let core: ServerCore
  private let connection: OpaquePointer
  private var request: HTTPRequest
  private var rejection: HTTPRejection.Reason?
  private var reply: Reply?
  private var discardedBytes = 0

  init(core: ServerCore, connection: OpaquePointer, method: String, target: String) {
    self.core = core
    self.connection = connection
    request = HTTPRequest(method: method, target: target, headers: Self.headers(of: connection))
    core.requestBegan(on: connection)
  }

  /// Looks at the header fields before a body comes.
  func begin() -> MHD_Result {
    let declared = request.headers["Content-Length"].flatMap { Int($0) } ?? 0
    guard declared > core.options.maxBodyBytes else { return .YES }
    rejection = .bodyTooLarge(maxBytes: core.options.maxBodyBytes)
    // A client that asks first is told at once. One that writes without asking would get a reset instead of the answer
    // if the connection were closed with its bytes unread: read them, within a limit, and throw them away.
    let asksFirst = request.headers["Expect"] != nil
    return asksFirst || declared > core.options.maxDiscardedBytes ? queueRejection() : .YES
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> MHD_Result {
    if rejection == nil {
      if request.body.count + bytes.count > core.options.maxBodyBytes {
        rejection = .bodyTooLarge(maxBytes: core.options.maxBodyBytes)
      } else if !core.reserve(bytes.count) {
        rejection = .overloaded
      } else {
        request.body.append(contentsOf: bytes)
        return .YES
      }
      releaseBody()
    }
    discardedBytes += bytes.count
    return discardedBytes <= core.options.maxDiscardedBytes ? .YES : .NO
  }

  /// The request is there, or the handler has answered.
  func proceed() -> MHD_Result {
    if rejection != nil { return queueRejection() }
    if let response = reply?.response { return queue(response, close: core.isDraining) }
    guard reply == nil else { return .YES }
    let reply = Reply(suspending: connection, loop: core.loop)
    self.reply = reply
    if core.handlerBegins(reply, on: connection) {
      reply.start(request, on: core.options.executor, core.handler)
    } else {
      reply.finish(core.stopping)
    }
    return .YES
  }

  /// The response is sent, or the connection lost.
  func end() {
    releaseBody()
    core.requestEnded(reply, on: connection)
  }

  private func releaseBody() {
    core.release(request.body.count)
    request.body = []
  }

  private func queueRejection() -> MHD_Result {
    guard let rejection else { return .NO }
    return queue(core.options.rejection(HTTPRejection(reason: rejection, target: request.target)), close: true)
  }

  private func queue(_ answer: HTTPResponse, close: Bool) -> MHD_Result {
    core.responseBegins(on: connection)
    var body = answer.body
    let response = body.withUnsafeMutableBytes {
      MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
    }
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    for (name, value) in answer.headers.fields where MHD_add_response_header(response, name, value) == .NO {
      return .NO
    }
    if close { MHD_add_response_header(response, "Connection", "close") }
    return MHD_queue_response(connection, UInt32(answer.status), response)
  }

  private static func headers(of connection: OpaquePointer) -> HTTPHeaders {
    var headers = HTTPHeaders()
    withUnsafeMutablePointer(to: &headers) { headers in
      _ = MHD_get_connection_values(
        connection, .HEADER_KIND,
        { context, _, name, value in
          guard let context, let name else { return .NO }
          let headers = context.assumingMemoryBound(to: HTTPHeaders.self)
          headers.pointee.add(String(cString: name), value.map { String(cString: $0) } ?? "")
          return .YES
        }, headers)
    }
    return headers
  }
}
