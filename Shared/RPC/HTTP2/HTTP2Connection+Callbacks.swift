import CNghttp2

extension HTTP2Connection {
  /// Registers the callbacks that server and client share. The session's user data is the connection, unretained: the
  /// loop holds the connection while it is registered, and holds it across every call into the session.
  static func makeCallbacks() -> OpaquePointer {
    var callbacks: OpaquePointer?
    // Fails only without memory.
    guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { fatalError("out of memory") }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, connection in
      guard let frame, let connection else { return 0 }
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        let category = frame.pointee.headers.cat
        let isFirst = category == NGHTTP2_HCAT_REQUEST || category == NGHTTP2_HCAT_RESPONSE
        $0.headerStream = $0.beginHeaders(streamID: frame.pointee.hd.stream_id, isFirst: isFirst)
          .map(Unmanaged.passUnretained)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback2(callbacks) { _, _, name, value, _, connection in
      guard let name, let value, let connection else { return 0 }
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        $0.headerStream?._withUnsafeGuaranteedRef { $0.receiveHeader(name: nghttp2_rcbuf_get_buf(name), value: value) }
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { session, _, id, data, count, connection in
      guard let data, let connection else { return 0 }
      if let pointer = nghttp2_session_get_stream_user_data(session, id) {
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.receive(data, count: count) }
      } else {
        // Nobody's data still counts against the windows.
        nghttp2_session_consume(session, id, count)
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.setNeedsFlush() }
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, connection in
      guard let frame, let connection else { return 0 }
      let header = frame.pointee.hd
      switch Int(header.type) {
      case Int(NGHTTP2_HEADERS.rawValue), Int(NGHTTP2_DATA.rawValue):
        let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isHeaders = Int(header.type) == Int(NGHTTP2_HEADERS.rawValue)
        guard ends || isHeaders, let pointer = nghttp2_session_get_stream_user_data(session, header.stream_id) else {
          return 0
        }
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
          if isHeaders { $0.headersEnded(endsStream: ends) }
          if ends { $0.receiveEnd() }
        }
      case Int(NGHTTP2_GOAWAY.rawValue):
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
          $0.receivedGoAway(
            lastStreamID: frame.pointee.goaway.last_stream_id, errorCode: frame.pointee.goaway.error_code)
        }
      case Int(NGHTTP2_SETTINGS.rawValue) where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0:
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.receivedSettings() }
      case Int(NGHTTP2_PING.rawValue) where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.receivedPingAcknowledgement() }
      default: break
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, connection in
      guard let connection else { return 0 }
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.receivedInvalidFrame() }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, error, connection in
      guard let frame, let connection, Int(frame.pointee.hd.type) == Int(NGHTTP2_HEADERS.rawValue) else { return 0 }
      let id = frame.pointee.hd.stream_id
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        $0.couldNotSendHeaders(streamID: id, error)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { session, id, error, connection in
      guard let connection, let pointer = nghttp2_session_get_stream_user_data(session, id) else { return 0 }
      nghttp2_session_set_stream_user_data(session, id, nil)
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        $0.remove(Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue(), .closed(http2Error: error))
      }
      return 0
    }
    return callbacks
  }

  /// Options that server and client share.
  static func makeOptions() -> OpaquePointer {
    var options: OpaquePointer?
    guard nghttp2_option_new(&options) == 0, let options else { fatalError("out of memory") }
    // Windows open when a reader has taken the bytes, not when they arrive.
    nghttp2_option_set_no_auto_window_update(options, 1)
    // Closed streams are of use for prioritisation only, which gRPC has none of.
    nghttp2_option_set_no_closed_streams(options, 1)
    return options
  }
}
