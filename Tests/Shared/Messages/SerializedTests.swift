import Messages
import Testing

@Suite("Messages in protobuf's binary form")
struct SerializedTests {
  @Test("absent and zero scalars are told apart over a round trip")
  func roundTrip() throws {
    let decoded = try Omsconnector.V1.StockSnapshot(serialized: Samples.snapshot.serialized())
    #expect(decoded == Samples.snapshot)
    #expect(decoded.stock.map(\.quantity) == [14, 0, nil])
  }

  @Test("every kind of field is encoded as Google's protobuf encodes it")
  func goldenEncoding() {
    #expect(Samples.everything.serialized() == goldenBytes)
  }

  @Test("every kind of field is decoded from what Google's protobuf wrote")
  func goldenDecoding() throws {
    #expect(try Fixtures.V1.AllTypes(serialized: goldenBytes) == Samples.everything)
  }

  @Test("a map's entries survive with keys and values at their defaults, and where they are left out")
  func mapDefaults() throws {
    let message = Fixtures.V1.AllTypes(
      labels: ["": "", "a": ""], counts: [0: 0], leavesByName: ["": .init()], ratios: [true: 0.5, false: 2])
    #expect(try Fixtures.V1.AllTypes(serialized: message.serialized()) == message)
    let emptyEntries: [UInt8] = [0x9a, 0x03, 0, 0xaa, 0x03, 0]
    #expect(try Fixtures.V1.AllTypes(serialized: emptyEntries) == .init(labels: ["": ""], leavesByName: ["": .init()]))
  }

  @Test(
    "each member of a oneof survives",
    arguments: [
      nil, .text("t"), .text(""), .number(0), .chosenLeaf(.init()), .chosenLeaf(.init(name: "l")), .data([1]),
      .chosenColor(.red), .flag(false),
    ] as [Fixtures.V1.AllTypes.Choice?])
  func oneof(choice: Fixtures.V1.AllTypes.Choice?) throws {
    let message = Fixtures.V1.AllTypes(choice: choice)
    #expect(try Fixtures.V1.AllTypes(serialized: message.serialized()).choice == choice)
  }

  @Test("no bytes are the default message, and the default message is no bytes")
  func empty() throws {
    #expect(try Fixtures.V1.AllTypes(serialized: []) == .init())
    #expect(Fixtures.V1.AllTypes().serialized() == [])
    #expect(Omsconnector.V1.RegisterRequest().serialized() == [])
  }

  @Test("unknown fields are ignored")
  func unknownFields() throws {
    let unknown: [UInt8] = [0xf8, 0x3f, 1] + [0xfa, 0x3f, 2, 0xff, 0xff] + [0xfd, 0x3f, 0, 0, 0, 0]
    let decoded = try Omsconnector.V1.StockSnapshot(serialized: unknown + Samples.snapshot.serialized())
    #expect(decoded == Samples.snapshot)
  }

  @Test("of a scalar that comes twice the last one counts")
  func repeatedScalar() throws {
    let twice = field(1, Array("first".utf8)) + field(1, Array("last".utf8))
    #expect(try Fixtures.V1.Tree(serialized: twice).name == "last")
  }

  @Test("an enum keeps a number that it has no name for")
  func openEnum() throws {
    let message = Omsconnector.V1.StockSnapshot(mode: .init(rawValue: 99))
    let decoded = try Omsconnector.V1.StockSnapshot(serialized: message.serialized())
    #expect(decoded.mode.rawValue == 99)
    #expect(decoded.mode.name == nil)
    #expect("\(decoded.mode)" == "99")
    #expect(Omsconnector.V1.SnapshotMode.nonzero.name == "SNAPSHOT_MODE_NONZERO")
  }

  @Test("a NUL in a text becomes the replacement character, since protobuf-c would cut the text")
  func embeddedNULWhenEncoding() throws {
    let decoded = try Fixtures.V1.Tree(serialized: Fixtures.V1.Tree(name: "a\0b").serialized())
    #expect(decoded.name == "a\u{fffd}b")
  }

  @Test("withPacked writes as many bytes as it promises, also inside another one")
  func packed() {
    Samples.snapshot.withPacked { outer in
      let inner = Samples.everything.serialized()
      #expect(inner == goldenBytes)
      let buffer = UnsafeMutableRawPointer.allocate(byteCount: outer.count + 1, alignment: 1)
      defer { buffer.deallocate() }
      buffer.storeBytes(of: 0x5a, toByteOffset: outer.count, as: UInt8.self)
      outer.write(to: buffer)
      #expect(Array(UnsafeRawBufferPointer(start: buffer, count: outer.count)) == Samples.snapshot.serialized())
      #expect(buffer.load(fromByteOffset: outer.count, as: UInt8.self) == 0x5a)
    }
  }
}
