import CNghttp2

// What goes back: headers, trailers, and the status in either.
extension ServerStream {
  /// Sends what `enqueueMessage` has queued, and the headers before it.
  func flushMessages() {
    guard !isFinished, connection != nil else { return }
    if responseStarted { outboundChanged() } else { startResponse() }
  }

  func startResponse() {
    guard let connection = serverConnection else { return }
    responseStarted = true
    var provider = dataProvider
    if initialMetadata.isEmpty {
      nghttp2_submit_response(connection.session, id, server.fields.response, 2, &provider)
    } else {
      let others = initialMetadata.sendable
      HeaderField.withFields(server.fields.responseArray, others) {
        _ = nghttp2_submit_response(connection.session, id, $0, $1, &provider)
      }
    }
    connection.setNeedsFlush()
  }

  /// Status and response headers in one block. Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Trailers-Only".
  func submitTrailersOnly(_ connection: ServerConnection) {
    responseStarted = true
    let others = initialMetadata.sendable + statusFields()
    HeaderField.withFields(server.fields.responseArray, others) {
      _ = nghttp2_submit_response(connection.session, id, $0, $1, nil)
    }
    resetUnlessReceived(connection)
    connection.setNeedsFlush()
  }

  func statusFields() -> [(name: String, value: [UInt8])] {
    var fields: [(name: String, value: [UInt8])] = []
    fields.append((name: "grpc-status", value: Array(String(status?.code.rawValue ?? 0).utf8)))
    if let message = status?.message, !message.isEmpty {
      fields.append((name: "grpc-message", value: PercentEncoding.encode(message, limit: StatusDetails.messageLimit)))
    }
    // Source: gRPC's `doc/compression.md`: who refuses an encoding says which ones there are.
    if encoding != nil { fields.append((name: "grpc-accept-encoding", value: Array("identity".utf8))) }
    if let status {
      if let details = StatusDetails.encode(status) { fields.append((name: StatusDetails.name, value: details)) }
      fields += status.metadata.sendable
    }
    return fields + trailingMetadata.sendable
  }

  /// A request that is still being sent is of no use any more: tells the peer to stop (RFC 9113 §8.1).
  func resetUnlessReceived(_ connection: ServerConnection) {
    guard !inboundEnded else { return }
    connection.resetAfterSending(id, NGHTTP2_NO_ERROR)
  }
}
