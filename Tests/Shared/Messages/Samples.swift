import Messages

enum Samples {
  static let snapshot = Omsconnector.V1.StockSnapshot(
    aggregateId: "EU-WEB", mode: .delta, createdOn: .init(seconds: 1_706_933_106, nanos: 5),
    stock: [.init(sku: "MUG-BLUE", quantity: 14), .init(sku: "EBOOK-1", quantity: 0, unlimited: true), .init(sku: "é")])

  /// Every kind of field with a value; golden.py has the same one.
  static let everything: Fixtures.V1.AllTypes = {
    var message = Fixtures.V1.AllTypes()
    message.doubleField = -1.5
    message.floatField = 0.25
    message.int32Field = -7
    message.int64Field = .min
    message.uint32Field = .max
    message.uint64Field = .max
    message.sint32Field = .min
    message.sint64Field = -5
    message.fixed32Field = 7
    message.fixed64Field = 8
    message.sfixed32Field = -9
    message.sfixed64Field = -10
    message.boolField = true
    message.stringField = "Größe 10 ½ 🙂"
    message.bytesField = [0, 255, 128]
    message.color = .negative
    message.leaf = .init(name: "oak", kind: .green, veins: [.init(length: 3), .init()])
    message.moment = .init(seconds: -1, nanos: 999_999_999)
    message.amount = .init(value: "4.20")
    message.maybe = 0
    message.choice = .data([])
    message.doubles = [0, 1.25]
    message.int32s = [-1, 0, 300]
    message.int64s = [1 << 62]
    message.fixed64s = [1, 2]
    message.bools = [true, false]
    message.strings = ["", "a"]
    message.bytesList = [[], Array("b".utf8)]
    message.colors = [.darkBlue, .init(rawValue: 77)]
    message.leaves = [.init(), .init(name: "elm", size: 9)]
    message.amounts = [.init(value: "0.10")]
    message.moments = [.init(seconds: 1)]
    message.unpacked = [1, -1]
    message.labels = ["a": "1", "b": "2"]
    message.counts = [-1: 5, 2: 6]
    message.leavesByName = ["n": .init(size: 1)]
    message.ratios = [true: 0.5]
    message.colorsByName = ["x": .red]
    message.default = "d"
    message.class = "k"
    message.in = 4
    message.value = 3
    message.pointer = "p"
    message.arena = "r"
    message.c = "s"
    return message
  }()
}

/// Blanks and line ends are ignored.
func bytes(hexadecimal text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A length-delimited field.
func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
  var length: [UInt8] = []
  var rest = content.count
  repeat {
    length.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>= 7
  } while rest > 0
  return [number << 3 | 2] + length + content
}
