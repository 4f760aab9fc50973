import Glibc

@testable import HTTP

/// A blocking TCP socket that says exactly what a test tells it to.
final class RawClient {
  private let descriptor: Int32

  struct Failure: Error { let call: String, code: Int32 }

  init(_ address: HTTPAddress) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = address.port.bigEndian
    target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: target) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(call: "connect", code: errno) }
    // No test waits longer, whatever the server does.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) throws {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure(call: "send", code: errno) }
      offset += count
    }
  }

  /// Reads until `isEnough`, or to the end of the connection without it.
  func read(until isEnough: (String) -> Bool = { _ in false }) throws -> String {
    var received = ""
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while !isEnough(received) {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      guard count >= 0 else {
        if errno == ECONNRESET { return received }
        throw Failure(call: "recv", code: errno)
      }
      if count == 0 { break }
      received += String(decoding: chunk[..<count], as: UTF8.self)
    }
    return received
  }

  /// Says `request` and reads the answer to the end of the connection.
  static func exchange(_ address: HTTPAddress, _ request: String) throws -> String {
    let client = try RawClient(address)
    try client.write(request)
    return try client.read()
  }
}

private final class Job: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs blocking code on a thread of its own: the pool's few threads belong to the handlers.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  return try await withCheckedThrowingContinuation { continuation in
    let job = Job { continuation.resume(with: Result { try body() }) }
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      {
        Unmanaged<Job>.fromOpaque($0!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    precondition(code == 0)
    pthread_detach(thread)
  }
}

/// A server on a free port for as long as `body` runs.
func withServer<R>(
  _ options: HTTPServerOptions = .init(), handler: @escaping HTTPServer.Handler = { echo($0) },
  _ body: (HTTPServer) async throws -> R
) async throws -> R {
  let address = HTTPAddress(host: "127.0.0.1", port: 0)
  let server = try HTTPServer(listeningOn: address, setting: "GATEWAY_HTTP", options: options, handler: handler)
  do {
    let result = try await body(server)
    await server.shutdown(grace: .seconds(5))
    return result
  } catch {
    await server.shutdown(grace: .zero)
    throw error
  }
}

@Sendable func echo(_ request: HTTPRequest) -> HTTPResponse {
  HTTPResponse(
    status: 200, headers: ["X-Method": request.method, "X-Path": request.target, "X-Length": "\(request.body.count)"],
    body: request.body)
}

/// Lets tasks wait for a moment that the test chooses.
actor Gate {
  private var isOpen = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func open() {
    isOpen = true
    for waiter in waiters { waiter.resume() }
    waiters = []
  }

  func pass() async {
    if isOpen { return }
    await withCheckedContinuation { waiters.append($0) }
  }
}
