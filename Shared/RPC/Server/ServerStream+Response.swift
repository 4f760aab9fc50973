private let gzipField = (name: Array("grpc-encoding".utf8), value: Array("gzip".utf8))

// What goes back: headers, trailers, and the status in either.
extension ServerStream {
  /// Sends what `enqueueMessage` has queued, and the headers before it.
  func flushMessages() {
    guard !isFinished, connection != nil else { return }
    if responseStarted { outboundChanged() } else { startResponse() }
  }

  /// Compresses responses of at least so many bytes, if the client reads that and the headers say so or are still to be
  /// sent.
  func compressResponses(from threshold: Int) {
    if acceptsGzip && !responseStarted && threshold < .max { outboundEncoding = .gzip }
    compressionThreshold = outboundEncoding == .gzip ? threshold : .max
  }

  func startResponse() {
    guard let connection = serverConnection else { return }
    responseStarted = true
    if initialMetadata.isEmpty && outboundEncoding == .identity {
      owesHeaders = true
    } else {
      let isSent = connection.sendHeaders(streamID: id, endsStream: false) { encoder, block in
        ServerConnection.appendResponseFields(&encoder, &block)
        if outboundEncoding == .gzip { encoder.append(repeated: gzipField.name, gzipField.value, &block) }
        encoder.append(initialMetadata, &block)
      }
      // Without its headers the client would wait for ever.
      guard isSent else { return reset(.internalError) }
    }
    outboundChanged()
  }

  /// Status and response headers in one block. Source: gRPC's `doc/PROTOCOL-HTTP2.md`, "Trailers-Only".
  func sendTrailersOnly(_ connection: ServerConnection) {
    sendHeadersOnly(connection) { encoder, block in
      ServerConnection.appendResponseFields(&encoder, &block)
      encoder.append(initialMetadata, &block)
    }
  }

  /// A response without data: the fields that `encode` appends, and the status.
  func sendHeadersOnly(
    _ connection: ServerConnection, _ encode: (inout HeaderEncoder, inout ByteQueue) -> Void
  ) {
    responseStarted = true
    let isSent = connection.sendHeaders(streamID: id, endsStream: true) { encoder, block in
      encode(&encoder, &block)
      appendStatus(&encoder, &block)
    }
    guard isSent else { return reset(.internalError) }
    connection.endResponse(self)
  }

  /// Whether the trailers say OK and nothing else.
  var hasPlainTrailers: Bool { status == nil && trailingMetadata.isEmpty }

  /// - Returns: false when they are too large for any peer.
  func sendTrailers(_ connection: ServerConnection) -> Bool {
    connection.sendHeaders(streamID: id, endsStream: true) { appendStatus(&$0, &$1) }
  }

  private func appendStatus(_ encoder: inout HeaderEncoder, _ block: inout ByteQueue) {
    encoder.append("grpc-status".utf8, String(status?.code.rawValue ?? 0).utf8, &block)
    if let message = status?.message, !message.isEmpty {
      encoder.append("grpc-message".utf8, PercentEncoding.encode(message, limit: StatusDetails.messageLimit), &block)
    }
    // Source: gRPC's `doc/compression.md`: who refuses an encoding says which ones there are.
    if head.unknownEncoding != nil {
      encoder.append("grpc-accept-encoding".utf8, MessageEncoding.accepted, &block)
    }
    if let status {
      if let details = StatusDetails.encode(status) { encoder.append(StatusDetails.name.utf8, details, &block) }
      encoder.append(status.metadata, &block)
    }
    encoder.append(trailingMetadata, &block)
  }
}

extension HeaderEncoder {
  /// Metadata is of one call: it would only drive what repeats out of the peer's table.
  mutating func append(_ metadata: Metadata, _ block: inout ByteQueue) {
    for entry in metadata.sendable {
      append(entry.name.utf8, entry.value.utf8, isSecret: entry.name == "authorization", &block)
    }
  }
}
