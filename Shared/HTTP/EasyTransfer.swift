import CCurl

/// One transfer as libcurl sees it. Lives on the client's thread only; libcurl holds its address while it runs.
final class EasyTransfer {
  let transfer: Transfer
  let handle: UnsafeMutableRawPointer
  private var fields: UnsafeMutablePointer<curl_slist>?
  private var response = HTTPResponse(status: 0)
  private var receivedBytes = 0
  private var isTooLarge = false

  init(_ transfer: Transfer) {
    self.transfer = transfer
    guard let handle = curl_easy_init() else { fatalError("libcurl: out of memory") }
    self.handle = handle
  }

  deinit {
    curl_easy_cleanup(handle)
    curl_slist_free_all(fields)
  }

  /// Tells libcurl what to send.
  ///
  /// - Returns: why it can't be sent.
  func prepare() -> HTTPClientError? {
    let request = transfer.request
    let remaining = transfer.deadline - .now
    guard remaining >= .milliseconds(1) else { return error(.timedOut, "no answer in time") }
    let connectTimeout = min(remaining, transfer.options.connectTimeout)
    for (name, value) in request.headers.fields {
      // A colon alone would remove the field in curl's notation; a semicolon sends an empty one.
      fields = curl_slist_append(fields, value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    // Bodies are at most a few megabytes: asking first (curl does beyond 1 MiB) costs a second with servers that ignore
    // it.
    fields = curl_slist_append(fields, "Expect:")

    let context = Unmanaged.passUnretained(self).toOpaque()
    var codes = [
      ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
      ccurl_set_string(handle, CURLOPT_URL, request.target),
      ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method),
      ccurl_set_string(handle, CURLOPT_USERAGENT, transfer.options.userAgent),
      ccurl_set_pointer(handle, CURLOPT_HTTPHEADER, fields),
      ccurl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0),
      ccurl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)),
      ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1),
      ccurl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1),
      ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, remaining.wholeMilliseconds),
      ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.wholeMilliseconds),
      ccurl_set_pointer(handle, CURLOPT_PRIVATE, context),
      ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context),
      ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context),
      ccurl_set_receive(handle, CURLOPT_WRITEFUNCTION, receiveBody),
      ccurl_set_receive(handle, CURLOPT_HEADERFUNCTION, receiveHeader),
    ]
    if request.isSentOnce { codes.append(ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, 1)) }
    if request.method == "HEAD" { codes.append(ccurl_set_long(handle, CURLOPT_NOBODY, 1)) }
    if !request.body.isEmpty || request.method == "POST" {
      codes.append(ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, request.body.count))
      request.body.withUnsafeBytes {
        // curl copies the bytes. An empty array has no address, and null would mean "read them from a callback".
        let bytes = $0.baseAddress ?? UnsafeRawPointer(context)
        codes.append(ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, .init(mutating: bytes)))
      }
    }
    guard let failed = codes.first(where: { $0 != CURLE_OK }) else { return nil }
    return error(.invalidRequest, String(cString: curl_easy_strerror(failed)))
  }

  func result(_ code: CURLcode) -> Result<HTTPResponse, any Error> {
    if isTooLarge {
      let limit = transfer.options.maxResponseBytes
      return .failure(error(.responseTooLarge, "the response is larger than \(limit) bytes"))
    }
    guard code == CURLE_OK else { return .failure(error(Self.kind(of: code), Self.reason(code))) }
    response.status = ccurl_status(handle)
    return .success(response)
  }

  fileprivate func receive(_ bytes: UnsafeRawBufferPointer, isHeader: Bool) -> Int {
    receivedBytes += bytes.count
    guard receivedBytes <= transfer.options.maxResponseBytes else {
      isTooLarge = true
      return 0
    }
    if isHeader { parseField(bytes) } else { response.body.append(contentsOf: bytes) }
    return bytes.count
  }

  private func parseField(_ bytes: UnsafeRawBufferPointer) {
    // Every response has a status line, also the interim ones (100): the fields of the last one count.
    if bytes.starts(with: "HTTP/".utf8) {
      response.headers = [:]
      return
    }
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return }
    let value = bytes[(colon + 1)...].drop { $0 <= 32 }
    let end = value.lastIndex { $0 > 32 }.map { $0 + 1 } ?? value.startIndex
    response.headers.add(
      String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: value[..<end], as: UTF8.self))
  }

  private func error(_ kind: HTTPClientError.Kind, _ reason: String) -> HTTPClientError {
    HTTPClientError(kind, url: transfer.request.target, reason)
  }

  private static func kind(of code: CURLcode) -> HTTPClientError.Kind {
    switch code {
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
      CURLE_PEER_FAILED_VERIFICATION:
      .unreachable
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
    default: .broken
    }
  }

  private static func reason(_ code: CURLcode) -> String {
    switch code {
    case CURLE_OPERATION_TIMEDOUT: "no answer in time"
    case CURLE_COULDNT_CONNECT: "nobody answers at this address"
    case CURLE_COULDNT_RESOLVE_HOST: "the name of the host is unknown"
    default: String(cString: curl_easy_strerror(code))
    }
  }
}

extension Duration {
  /// Rounded up.
  var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

// What libcurl calls, on the client's thread, with the `EasyTransfer` as context.

private let receiveBody: ccurl_receive = { receive($0, $1, $2, $3, isHeader: false) }
private let receiveHeader: ccurl_receive = { receive($0, $1, $2, $3, isHeader: true) }

private func receive(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?, isHeader: Bool
) -> Int {
  guard let context else { return 0 }
  let easy = Unmanaged<EasyTransfer>.fromOpaque(context).takeUnretainedValue()
  return easy.receive(UnsafeRawBufferPointer(start: bytes, count: size * count), isHeader: isHeader)
}
