import Commerce
import EventLoop
import Glibc
import HTTP
import ServiceKit

/// A shop of simple products that answers what the connector asks for, and fails when a test says so.
final class FakeShop: Sendable {
  struct State {
    /// Id → JSON of the product, beside id and sku.
    var products: [Int64: String] = [:]
    var requests: [String] = []
    /// After so many pages the shop is away; nil for never.
    var pagesLeft: Int?
    var views = #"[{"id": 1, "code": "default", "website_id": 1, "is_active": 1}]"#
    /// Store view → id → name.
    var names: [String: [Int64: String]] = [:]
    var attributes: [String: String] = [:]
  }

  let state = Lock(State())
  private let listener: Int32
  let client: CommerceClient

  /// What it answers depends on the query, which our own server leaves out.
  init() throws {
    let (descriptor, port) = try TCPSocket.listen(host: "127.0.0.1", port: 0)
    listener = descriptor
    // Ours may not block; this one waits.
    _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK)
    var options = CommerceClient.Options()
    options.firstPause = .milliseconds(1)
    options.readTries = 1
    client = CommerceClient(url: "http://127.0.0.1:\(port)/", credentials: .bearer(Secret("secret")), options: options)
    try spawnThread(named: "fake shop") { [self] in
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        if let target = Self.target(connection) {
          Self.write(state.withLock { $0.answer(target) }, to: connection)
        }
        close(connection)
      }
      close(listener)
    }
  }

  /// Ends the thread.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

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

  private static func write(_ response: HTTPResponse, to connection: Int32) {
    let head =
      "HTTP/1.1 \(response.status) X\r\nContent-Type: application/json\r\nConnection: close\r\n"
      + "Content-Length: \(response.body.count)\r\n\r\n"
    let bytes = Array(head.utf8) + response.body
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(connection, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      sent += count
    }
  }

  func shop(_ mapping: Mapping) -> Shop { Shop(client: client, mapping: mapping) }

  func put(_ ids: ClosedRange<Int64>, sku: (Int64) -> String = { "P-\($0)" }) {
    state.withLock { state in
      for id in ids {
        state.products[id] =
          #"{"id":\#(id),"sku":"\#(sku(id))","name":"Product \#(id)","type_id":"simple","status":1,"price":10}"#
      }
    }
  }
}

extension FakeShop.State {
  mutating func answer(_ target: String) -> HTTPResponse {
    let target = PercentText.decoded(target)
    requests.append(target)
    let path = target.prefix { $0 != "?" }
    if path.hasSuffix("/V1/store/websites") {
      return .json(#"[{"id": 0, "code": "admin"}, {"id": 1, "code": "base"}]"#)
    }
    if path.hasSuffix("/V1/store/storeViews") { return .json(views) }
    if path.hasSuffix("/V1/store/storeConfigs") {
      return .json(#"[{"id": 1, "code": "default", "website_id": 1, "locale": "en_US", "base_currency_code": "EUR"}]"#)
    }
    if let code = path.range(of: "/products/attributes/") {
      return attributes[String(path[code.upperBound...])].map { .json($0) }
        ?? .json(status: 404, #"{"message":"none"}"#)
    }
    guard path.hasSuffix("/V1/products") else { return .json(status: 404, #"{"message":"no such route"}"#) }
    return page(target, store: String(path.split(separator: "/")[1]))
  }

  private mutating func page(_ target: String, store: String) -> HTTPResponse {
    let isPage = !Self.parameters(target, "condition_type").contains("in")
    if isPage, let left = pagesLeft {
      if left == 0 { return .json(status: 503, #"{"message":"away"}"#) }
      pagesLeft = left - 1
    }
    var after: Int64 = 0
    var among: Set<Int64>?
    for (index, condition) in Self.parameters(target, "condition_type").enumerated() {
      let value = Self.parameters(target, "value")[index]
      if condition == "gt" { after = Int64(value) ?? 0 }
      if condition == "in" { among = Set(value.split(separator: ",").compactMap { Int64($0) }) }
    }
    let size = Self.parameters(target, "pageSize").first.flatMap { Int($0) } ?? 20
    let found = products.keys.filter { $0 > after && among?.contains($0) != false }.sorted()
    let items = found.prefix(size).map { id in
      names[store]?[id].map { #"{"id":\#(id),"name":"\#($0)"}"# } ?? products[id] ?? ""
    }
    return .json(#"{"items":[\#(items.joined(separator: ","))],"total_count":\#(found.count)}"#)
  }

  private static func parameters(_ target: String, _ name: String) -> [String] {
    target.split(separator: "?").dropFirst().joined().split(separator: "&").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return parts[0].hasSuffix("[\(name)]") ? String(parts[1]) : nil
    }
  }
}

private enum PercentText {
  static func decoded(_ text: String) -> String {
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

extension StringProtocol {
  /// Foundation's, of which only this is needed.
  fileprivate func range(of part: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
      start = index(after: start)
    }
    return nil
  }
}
