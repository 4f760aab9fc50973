import CPQ

/// A list as a PostgreSQL array of one dimension, in its binary format (`array_recv` in the server's sources): the number of
/// dimensions, whether there are NULLs, the type of the elements, of the dimension its length and first index, and each element
/// behind its length. All numbers have 32 bits, the first byte leading.
struct BinaryArray {
  private(set) var bytes: [UInt8] = []

  init(_ values: [Int64]) {
    begin(count: values.count, of: TypeNumber.int8, bytes: values.count * 12)
    for value in values {
      append(8)
      withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
  }

  init(_ values: [String]) {
    begin(count: values.count, of: TypeNumber.text, bytes: values.reduce(0) { $0 + $1.utf8.count + 4 })
    for value in values {
      append(Int32(value.utf8.count))
      bytes.append(contentsOf: value.utf8)
    }
  }

  private mutating func begin(count: Int, of type: Oid, bytes length: Int) {
    bytes.reserveCapacity(length + 20)
    append(count == 0 ? 0 : 1)
    append(0)
    append(Int32(bitPattern: type))
    if count == 0 { return }
    append(Int32(count))
    append(1)
  }

  private mutating func append(_ value: Int32) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
