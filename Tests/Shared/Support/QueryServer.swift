import EventLoop
import Glibc

/// An HTTP server whose answers depend on the query, which our own leaves out. One request at a time, each on its own connection.
public final class QueryServer: Sendable {
  private let listener: Int32
  public let port: Int

  /// - Parameters:
  ///   - prepare: may wait, before each answer.
  ///   - answer: gets the request's target, its percent-encoding taken away; gives a status and JSON.
  public init(
    prepare: @escaping @Sendable () -> Void = {},
    _ answer: @escaping @Sendable (_ target: String) -> (status: Int, json: String)
  ) throws {
    let (descriptor, port) = try TCPSocket.listen(host: "127.0.0.1", port: 0)
    let listener = descriptor
    self.listener = listener
    self.port = Int(port)
    // Ours may not block; this one waits.
    _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
    try spawnThread(named: "query server") {
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        if let target = Self.target(connection) {
          prepare()
          Self.write(answer(Self.decoded(target)), to: connection)
        }
        close(connection)
      }
      close(listener)
    }
  }

  /// Ends the thread.
  public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  /// The parameters whose names end so, as in `[value]`, in their order.
  public static func parameters(_ target: String, _ name: String) -> [String] {
    target.split(separator: "?").dropFirst().joined().split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return parts[0].hasSuffix(name) ? String(parts[1]) : nil
    }
  }

  private static func target(_ connection: Int32) -> String? {
    var head = ""
    var part = [UInt8](repeating: 0, count: 16 << 10)
    while !head.utf8.suffix(4).elementsEqual([13, 10, 13, 10]) {
      let count = read(connection, &part, part.count)
      guard count > 0 else { return nil }
      head += String(decoding: part.prefix(count), as: UTF8.self)
    }
    return head.split(separator: " ").dropFirst().first.map(String.init)
  }

  private static func write(_ response: (status: Int, json: String), to connection: Int32) {
    let body = Array(response.json.utf8)
    let head =
      "HTTP/1.1 \(response.status) X\r\nContent-Type: application/json\r\nConnection: close\r\n"
      + "Content-Length: \(body.count)\r\n\r\n"
    let bytes = Array(head.utf8) + body
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(connection, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      sent += count
    }
  }

  private static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
