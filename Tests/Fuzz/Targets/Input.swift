/// The fuzzer's bytes, read from the front as decisions. At the end every decision is 0.
struct Input {
  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func word() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

  mutating func long() -> UInt32 { UInt32(word()) << 16 | UInt32(word()) }

  mutating func bool() -> Bool { byte() & 1 == 1 }

  mutating func choice<Element>(of elements: [Element]) -> Element { elements[Int(byte()) % elements.count] }

  /// As many as that, or what is left.
  mutating func bytes(_ count: Int) -> [UInt8] {
    let taken = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return taken
  }

  /// A length in one byte, and so many bytes.
  mutating func shortBytes() -> [UInt8] { bytes(Int(byte())) }

  mutating func remainder() -> [UInt8] { bytes(rest.count) }
}
