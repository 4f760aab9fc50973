import EventLoop
import Glibc
import Messages

@testable import RPC

/// A frame of HTTP/2 (RFC 9113 §4.1), as a test wants it, right or wrong.
struct Frame: Sendable {
  enum Kind: UInt8, Sendable {
    case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
  }

  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  var kind: UInt8
  var flags: UInt8 = 0
  var stream: UInt32 = 0
  var payload: [UInt8] = []

  init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
    (self.kind, self.flags, self.stream, self.payload) = (kind.rawValue, flags, stream, payload)
  }

  /// Fields as literals without indexing (RFC 7541 §6.2.2), which need no state.
  static func headers(_ fields: [(String, String)], stream: UInt32 = 1, end: Bool = false) -> Frame {
    let block: [UInt8] = fields.flatMap { [0] + text($0.0) + text($0.1) }
    return Frame(.headers, flags: endHeaders | (end ? endStream : 0), stream: stream, block)
  }

  private static func text(_ value: String) -> [UInt8] {
    precondition(value.utf8.count < 127)
    return [UInt8(value.utf8.count)] + value.utf8
  }

  static func message(_ bytes: [UInt8], announced: Int? = nil, stream: UInt32 = 1, end: Bool = false) -> Frame {
    Frame(.data, flags: end ? endStream : 0, stream: stream, [0] + number(announced ?? bytes.count) + bytes)
  }

  static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

  /// What a client of gRPC begins a call with.
  static func request(_ path: String, stream: UInt32) -> Frame {
    headers(
      [
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
        ("content-type", "application/grpc"),
      ], stream: stream)
  }

  /// What a server of gRPC begins its answer with.
  static func response(stream: UInt32 = 1) -> Frame {
    headers([(":status", "200"), ("content-type", "application/grpc")], stream: stream)
  }

  static func trailers(_ status: String, stream: UInt32 = 1) -> Frame {
    headers([("grpc-status", status)], stream: stream, end: true)
  }

  var bytes: [UInt8] {
    Array(Frame.number(payload.count).dropFirst()) + [kind, flags] + Frame.number(Int(stream)) + payload
  }
}

/// A socket with a thread of its own that speaks frames rather than HTTP/2. Blocks.
struct RawPeer: Sendable {
  let descriptor: Int32

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// What is not taken because the other side has closed is lost, which is what the tests expect of it.
  func send(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + offset, $0.count - offset, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      offset += count
    }
  }

  func send(_ frames: Frame...) { send(frames.flatMap(\.bytes)) }

  /// Nil when the other side has closed.
  func receive(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var offset = 0
    while offset < count {
      let read = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + offset, count - offset, 0) }
      guard read > 0 else { return nil }
      offset += read
    }
    return bytes
  }

  func receiveFrame() -> Frame? {
    guard let header = receive(9), let kind = Frame.Kind(rawValue: header[3]) else { return nil }
    let count = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
    guard let payload = count == 0 ? [] : receive(count) else { return nil }
    let stream = header[5...8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Frame(kind, flags: header[4], stream: stream, payload)
  }

  /// Reads on until a frame of that kind; nil when the other side has closed.
  func receive(_ kind: Frame.Kind) -> Frame? {
    while let frame = receiveFrame() {
      if frame.kind == kind.rawValue { return frame }
    }
    return nil
  }

  func close() { Glibc.close(descriptor) }

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// A client of whatever listens there.
  init(connectedTo address: Address) {
    switch address {
    case .unix:
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      _ = address.withUnixSocketAddress { Glibc.connect(descriptor, $0, $1) }
    case .tcp(let host, let port):
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      _ = try? SocketAddress.resolve(host: host, port: port).first?.withSocketAddress {
        Glibc.connect(descriptor, $0, $1)
      }
    }
  }

  /// A client of whatever listens there, with preface and SETTINGS sent.
  static func connect(to address: Address, settings: [UInt8] = []) -> RawPeer {
    let peer = RawPeer(connectedTo: address)
    peer.send(preface + Frame(.settings, settings).bytes)
    return peer
  }
}

/// A server made of a `RawPeer` for every connection.
final class RawServer: Sendable {
  let address = Address.unix(path: temporaryDirectory() + "/raw")
  /// How many connections there have been.
  let connections = Counter()
  private let descriptor: Int32

  /// - Parameter serve: called for each connection in turn, on a thread; the connection is closed when it returns.
  init(_ serve: @escaping @Sendable (RawPeer) -> Void) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    _ = address.withUnixSocketAddress { bind(descriptor, $0, $1) }
    listen(descriptor, 100)
    let (listener, connections) = (descriptor, connections)
    try spawnThread(named: "raw-server") {
      while true {
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else {
          close(listener)
          return
        }
        connections.increment()
        let peer = RawPeer(descriptor: accepted)
        serve(peer)
        peer.close()
      }
    }
  }

  /// One that greets as a server does and, once a call has come, answers with `bytes` and waits for the client to close.
  convenience init(answer bytes: [UInt8]) throws {
    try self.init { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      guard peer.receive(.headers) != nil else { return }
      peer.send(bytes)
      while peer.receiveFrame() != nil {}
    }
  }

  deinit {
    // Its thread closes it: the number may be another socket's by the time that it asks again.
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// Blocking code of a test, on a thread of its own.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    do {
      try spawnThread(named: "raw-client") { continuation.resume(returning: body()) }
    } catch {
      continuation.resume(throwing: error)
    }
  }
}

/// Lets a thread that blocks wait for a test.
final class Pipe: Sendable {
  private let reading: Int32
  private let writing: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    _ = pipe(&ends)
    (reading, writing) = (ends[0], ends[1])
  }

  func wait() {
    var byte: UInt8 = 0
    _ = read(reading, &byte, 1)
  }

  func signal() {
    var byte: UInt8 = 0
    _ = write(writing, &byte, 1)
  }

  deinit {
    close(reading)
    close(writing)
  }
}
