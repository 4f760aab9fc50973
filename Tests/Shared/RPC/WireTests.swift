import Testing

@testable import RPC

@Suite struct WireTests {
  @Test(
    "grpc-timeout is up to eight digits and a unit",
    arguments: [
      ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("10S", 10_000_000_000), ("5m", 5_000_000), ("7u", 7_000),
      ("99999999n", 99_999_999), ("0n", 0), ("", nil), ("S", nil), ("1", nil), ("-1S", nil), ("1.5S", nil), ("1s", nil),
      ("123456789n", nil), ("1 S", nil),
    ] as [(String, UInt64?)])
  func parseTimeout(text: String, nanoseconds: UInt64?) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBufferPointer { Timeout.parse($0) } == nanoseconds)
  }

  @Test("the longest timeout can be added to a clock")
  func hugeTimeout() throws {
    let value = try #require(Array("99999999H".utf8).withUnsafeBufferPointer { Timeout.parse($0) })
    #expect(value <= UInt64.max / 2)
  }

  @Test(
    "a timeout never gets shorter on the wire",
    arguments: [0, 1, 99_999_999, 100_000_001, 1_234_567_890_123, UInt64.max / 2])
  func formatTimeout(nanoseconds: UInt64) throws {
    let text = Timeout.format(nanoseconds: nanoseconds)
    #expect(text.utf8.count <= 9)
    let parsed = try #require(Array(text.utf8).withUnsafeBufferPointer { Timeout.parse($0) })
    #expect(parsed >= nanoseconds)
    #expect(parsed <= nanoseconds + nanoseconds / 1000 + 1)
  }

  @Test(
    "grpc-message is percent-encoded UTF-8",
    arguments: [("plain text", "plain text"), ("100 %", "100 %25"), ("é", "%C3%A9"), ("a\nb", "a%0Ab"), ("", "")])
  func percentEncoding(text: String, encoded: String) {
    #expect(PercentEncoding.encode(text) == Array(encoded.utf8))
    #expect(PercentEncoding.decode(encoded.utf8) == text)
  }

  @Test(
    "decoding repairs what no encoder would send",
    arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%ff", "\u{fffd}"), ("%e9x", "\u{fffd}x")])
  func lenientDecoding(encoded: String, text: String) {
    #expect(PercentEncoding.decode(encoded.utf8) == text)
  }

  @Test(
    "addresses",
    arguments: [
      ("unix:/tmp/a.sock", Address.unix(path: "/tmp/a.sock")), ("unix:///tmp/a.sock", .unix(path: "/tmp/a.sock")),
      ("unix:rel/a", .unix(path: "rel/a")), ("127.0.0.1:80", .tcp(host: "127.0.0.1", port: 80)),
      ("[::1]:8080", .tcp(host: "::1", port: 8080)), ("localhost:0", .tcp(host: "localhost", port: 0)),
    ])
  func addresses(text: String, address: Address) throws {
    #expect(try Address(parsing: text) == address)
  }

  @Test(
    "what is not an address is refused with the text",
    arguments: ["", "unix:", "host", "host:", ":80", "host:65536", "host:-1", "http://host:80", "[::1:80"])
  func badAddresses(text: String) {
    let error = #expect(throws: AddressError.self) { try Address(parsing: text) }
    #expect(error?.description.contains(text) == true)
  }

  @Test("a Unix path may have 107 bytes and not one more")
  func longPath() throws {
    let path = "/" + String(repeating: "p", count: 106)
    #expect(try Address(parsing: "unix:\(path)") == .unix(path: path))
    let error = #expect(throws: AddressError.self) { try Address(parsing: "unix:\(path)p") }
    #expect(error?.reason.contains("108 bytes") == true)
    #expect(error?.reason.contains("107") == true)
  }

  @Test(
    "targets",
    arguments: [
      ("unix:/a", Target.unix(.unix(path: "/a"))), ("unix-dir:/run/inventory", .unixDirectory("/run/inventory")),
      ("dns:///inventory:50051", .dns(host: "inventory", port: 50051)),
      ("inventory:1", .dns(host: "inventory", port: 1)),
      ("ipv4:10.0.0.1:1,10.0.0.2:2", .list([.tcp(host: "10.0.0.1", port: 1), .tcp(host: "10.0.0.2", port: 2)])),
      ("ipv4:10.0.0.1:1,10.0.0.1:1", .list([.tcp(host: "10.0.0.1", port: 1)])),
      ("ipv6:[::1]:1,[fe80::1]:2", .list([.tcp(host: "::1", port: 1), .tcp(host: "fe80::1", port: 2)])),
    ])
  func targets(text: String, target: Target) throws {
    #expect(try Target(parsing: text) == target)
    #expect(try Target(parsing: target.description) == target)
  }

  @Test("a list has 100 addresses at most")
  func longList() throws {
    func list(_ count: Int) -> String { "ipv4:" + (1...count).map { "127.0.0.1:\($0)" }.joined(separator: ",") }
    guard case .list(let addresses) = try Target(parsing: list(100)) else { return }
    #expect(addresses.count == 100)
    let error = #expect(throws: AddressError.self) { try Target(parsing: list(101)) }
    #expect(error?.reason.contains("101 addresses") == true)
  }

  @Test("one address is a list when it is numeric, and looked up when it is a name")
  func targetOfAnAddress() {
    let numeric = Address.tcp(host: "127.0.0.1", port: 1)
    #expect(Target(numeric) == .list([numeric]))
    #expect(Target(.tcp(host: "localhost", port: 1)) == .dns(host: "localhost", port: 1))
  }

  @Test(
    "what is not a target is refused",
    arguments: [
      "", "unix-dir:", "unix:", "dns:///", "ipv4:", "ipv4:1.2.3.4:1,", "inventory", "ipv4:localhost:1", "ipv4:[::1]:1",
      "ipv4:unix:/a", "ipv6:", "ipv6:1.2.3.4:1", "ipv6:[name]:1", "ipv6:[::1]:1,",
    ])
  func badTargets(text: String) {
    #expect(throws: AddressError.self) { try Target(parsing: text) }
  }

  @Test("a queue of bytes gives back what was put in, in any portions")
  func byteQueue() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var state = seed
    /// A linear congruential generator is random enough for sizes.
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % (bound + 1)
    }
    var queue = ByteQueue()
    var expected: [UInt8] = []
    var next: UInt8 = 0
    for step in 0..<2000 {
      let added = (0..<random(3000)).map { _ in
        next &+= 1
        return next
      }
      added.withUnsafeBytes { if let base = $0.baseAddress { queue.append(base, count: added.count) } }
      expected += added
      let taken = random(min(expected.count, 4000))
      #expect(Array(queue.bytes.prefix(taken)) == Array(expected.prefix(taken)), "step \(step), seed \(seed)")
      queue.removeFirst(taken)
      expected.removeFirst(taken)
      #expect(queue.count == expected.count)
    }
  }
}
