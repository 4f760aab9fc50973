/// Turns the fuzzer's bytes into frames of HTTP/2 that are right more often than not: what is behind the framing is reached
/// then, which bytes alone seldom do.
struct FrameScript {
  enum Role { case client, server }

  private let role: Role
  /// The stream that was opened last.
  private var latest: UInt32

  init(role: Role) {
    self.role = role
    // Calls of the client that is attacked begin at 1.
    latest = 1
  }

  /// What is to happen next.
  enum Step {
    case send([UInt8])
    /// The other side is to look at what it has got.
    case pause
    /// What the other side has sent is to be read.
    case read
  }

  mutating func next(_ input: inout Input) -> Step {
    switch input.byte() % 24 {
    case 0: .send(headers(&input, block: Self.goodBlock(role, &input)))
    case 1, 2: .send(headers(&input, block: block(&input)))
    case 3: .send(headers(&input, block: input.shortBytes()))
    case 4: .send(splitHeaders(&input))
    case 5, 6, 7: .send(data(&input, Self.message(&input)))
    case 8: .send(data(&input, input.shortBytes()))
    case 9: .send(Self.frame(1, 5, stream(&input), Self.trailers(&input)))
    case 10: .send(padded(&input))
    case 11: .send(Self.frame(3, 0, stream(&input), Self.number(input.choice(of: [0, 2, 5, 7, 8, 11, 0xffff_ffff]))))
    case 12, 13: .send(Self.settings(&input))
    case 14: .send(Self.frame(4, 1, 0, []))
    case 15: .send(Self.frame(6, input.byte() & 1, 0, Array(repeating: input.byte(), count: 8)))
    case 16: .send(Self.goAway(&input))
    case 17, 18: .send(windowUpdate(&input))
    case 19: .send(Self.frame(2, 0, stream(&input), [0, 0, 0, 0, 7]))
    case 20: .send(Self.frame(input.byte(), input.byte(), input.long(), input.shortBytes()))
    case 21: .send(input.shortBytes())
    case 22: .pause
    default: .read
    }
  }

  // MARK: Streams

  private mutating func stream(_ input: inout Input) -> UInt32 {
    switch input.byte() % 12 {
    case 0, 1, 2, 3: latest
    case 4: 0
    case 5: 2
    case 6: 0x7fff_ffff
    case 7: input.long()
    case let other: UInt32(other - 8) * 2 + 1
    }
  }

  /// For HEADERS: mostly the next one at a client, one of those that are open at a server.
  private mutating func openingStream(_ input: inout Input) -> UInt32 {
    guard role == .client, input.byte() % 8 < 6 else { return stream(&input) }
    defer { latest += 2 }
    return latest + 2
  }

  // MARK: HEADERS

  private mutating func headers(_ input: inout Input, block: [UInt8]) -> [UInt8] {
    let flags = input.choice(of: [4, 4, 4, 5, 5, 0, 0x24, 0x0c] as [UInt8])
    return Self.frame(1, flags, openingStream(&input), block)
  }

  private mutating func splitHeaders(_ input: inout Input) -> [UInt8] {
    let block = Self.goodBlock(role, &input)
    let stream = openingStream(&input)
    let part = Int(input.byte()) % (block.count + 1)
    var bytes = Self.frame(1, input.byte() & 1, stream, Array(block[..<part]))
    for _ in 0..<(input.byte() % 20) { bytes += Self.frame(9, 0, stream, []) }
    return bytes + Self.frame(9, input.choice(of: [4, 4, 4, 0]), stream, Array(block[part...]))
  }

  private static func goodBlock(_ role: Role, _ input: inout Input) -> [UInt8] {
    switch role {
    case .client:
      let path = input.choice(of: FuzzService.paths)
      let fields = [
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "fuzz"), ("te", "trailers"),
        ("content-type", "application/grpc"),
      ]
      // With indexing now and then: the decoder keeps blocks that leave the table alone.
      let isIndexed = input.bool()
      return fields.flatMap { literal($0.0, Array($0.1.utf8), isIndexed: isIndexed) }
    case .server:
      return literal(":status", Array("200".utf8)) + literal("content-type", Array("application/grpc".utf8))
    }
  }

  private static func trailers(_ input: inout Input) -> [UInt8] {
    literal("grpc-status", Array(input.choice(of: ["0", "0", "8", "14", "99", "-1", "x"]).utf8))
      + literal("grpc-message", input.bytes(Int(input.byte() % 8)))
  }

  /// Fields that mean something, with values that may not.
  private func block(_ input: inout Input) -> [UInt8] {
    var block = input.bool() ? Self.goodBlock(role, &input) : []
    for _ in 0..<(input.byte() % 6) {
      let field = input.choice(of: HeaderFields.known)
      let value = input.bool() ? Array(input.choice(of: field.values).utf8) : input.bytes(Int(input.byte() % 32))
      block += Self.literal(field.name, value, isIndexed: input.bool())
    }
    return block
  }

  private static func literal(_ name: String, _ value: [UInt8], isIndexed: Bool = false) -> [UInt8] {
    // Lengths below 127 fit their byte (RFC 7541 §5.1).
    [isIndexed ? 0x40 : 0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(min(value.count, 126))] + value.prefix(126)
  }

  // MARK: DATA

  private static func message(_ input: inout Input) -> [UInt8] {
    let body: [UInt8] = input.choice(of: [[], [0x0a, 1, 0x61], [0x0a, 2, 0x61, 0x62, 0x12, 1, 0x63], [0xff]])
    let size = input.choice(of: [body.count, body.count, body.count, body.count + 1, 1 << 16, 1 << 20, -1, 0])
    let flag = input.choice(of: [0, 0, 0, 0, 0, 1, 2] as [UInt8])
    let filler = [UInt8](repeating: 0x20, count: input.choice(of: [0, 0, 0, 0, 100, 16_000]))
    return [flag] + number(UInt32(truncatingIfNeeded: size)) + body + filler
  }

  private mutating func data(_ input: inout Input, _ payload: [UInt8]) -> [UInt8] {
    Self.frame(0, input.byte() & 1, stream(&input), payload)
  }

  private mutating func padded(_ input: inout Input) -> [UInt8] {
    let padding = input.byte() % 32
    let payload = Self.message(&input) + [UInt8](repeating: 0, count: Int(input.choice(of: [padding, padding, 0])))
    return Self.frame(0, 8 | input.byte() & 1, stream(&input), [padding] + payload)
  }

  // MARK: The rest

  private static func settings(_ input: inout Input) -> [UInt8] {
    var payload: [UInt8] = []
    for _ in 0..<(input.byte() % 4) {
      let value: UInt32 = input.choice(of: [0, 1, 5, 100, 4096, 16384, 65535, 1 << 24 - 1, 1 << 31 - 1, .max])
      payload += [0, input.byte() % 8] + number(value)
    }
    return frame(4, 0, 0, payload)
  }

  private static func goAway(_ input: inout Input) -> [UInt8] {
    frame(7, 0, 0, number(input.choice(of: [0, 1, 3, 5, 0x7fff_ffff])) + number(UInt32(input.byte() % 16)))
  }

  private mutating func windowUpdate(_ input: inout Input) -> [UInt8] {
    let stream = input.bool() ? 0 : stream(&input)
    return Self.frame(8, 0, stream, Self.number(input.choice(of: [0, 1, 100, 65535, 1 << 20, 1 << 31 - 1])))
  }

  static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    Array(number(UInt32(payload.count)).dropFirst()) + [type, flags] + number(stream) + payload
  }

  private static func number(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }
}

/// Names that either side looks at, with values of interest.
enum HeaderFields {
  static let known: [(name: String, values: [String])] = [
    (":status", ["200", "100", "404", "0", "99999"]), (":path", FuzzService.paths + ["", "/"]),
    (":method", ["GET", "POST"]), ("content-type", ["application/grpc", "application/grpc+proto", "text/html"]),
    ("content-length", ["0", "5", "99999999999999999999", "-1"]), ("grpc-status", ["0", "4", "16", "17"]),
    ("grpc-message", ["%41%", "ok"]), ("grpc-timeout", ["1n", "0n", "99999999H", "1S", "x"]),
    ("grpc-encoding", ["gzip", "identity", "br"]), ("grpc-accept-encoding", ["gzip", "identity,gzip"]),
    ("grpc-retry-pushback-ms", ["0", "1", "-1", "2147483648"]), ("grpc-status-details-bin", ["CAM", "!", "="]),
    ("x-bin", ["AAE", "AAE=", "a", "AA,AA"]), ("x", ["y"]), ("te", ["trailers", "gzip"]), ("connection", ["close"]),
    ("traceparent", ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0"]),
    ("tracestate", ["a=b", "a=b,c=d", "="]), ("grpc-previous-rpc-attempts", ["1"]), ("Upper", ["x"]),
  ]
}
