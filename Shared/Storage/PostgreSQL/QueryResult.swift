import CPQ

/// What a statement answered: in binary format, or as text when it had no parameters.
final class QueryResult {
  let handle: OpaquePointer
  let rows: Int32

  init(_ handle: OpaquePointer) {
    self.handle = handle
    rows = PQntuples(handle)
  }

  deinit { PQclear(handle) }

  /// Rows inserted, updated or deleted.
  var changes: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

  var hasColumns: Bool { PQnfields(handle) > 0 }

  func isNull(_ row: Int32, _ column: Int32) -> Bool {
    !isColumn(column) || PQgetisnull(handle, row, column) != 0
  }

  /// Empty for NULL.
  func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer {
    guard !isNull(row, column) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: PQgetvalue(handle, row, column), count: Int(PQgetlength(handle, row, column)))
  }

  /// 0 for NULL and for what is no number.
  func integer(_ row: Int32, _ column: Int32) -> Int64 {
    let bytes = bytes(row, column)
    if bytes.isEmpty { return 0 }
    guard isBinary(column) else { return Int64(String(decoding: bytes, as: UTF8.self)) ?? 0 }
    switch PQftype(handle, column) {
    case TypeNumber.int8: return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    case TypeNumber.int4: return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case TypeNumber.int2: return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    case TypeNumber.bool: return Int64(bytes[0])
    case TypeNumber.numeric: return Self.wholePart(numeric: bytes)
    case TypeNumber.float8:
      let value = Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
      return Int64(exactly: value.rounded(.towardZero)) ?? 0
    default: return Int64(String(decoding: bytes, as: UTF8.self)) ?? 0
    }
  }

  func text(_ row: Int32, _ column: Int32) -> String {
    let bytes = bytes(row, column)
    guard isBinary(column), !bytes.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
    switch PQftype(handle, column) {
    case TypeNumber.int8, TypeNumber.int4, TypeNumber.int2, TypeNumber.bool, TypeNumber.numeric:
      return String(integer(row, column))
    default: return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// A sum of BIGINTs is a NUMERIC: the number of its digits to the base of 10 000, the first one's weight, the sign, the
  /// digits behind the point that are shown, and the digits (`numeric_send`). What is beyond 64 bits becomes 0.
  private static func wholePart(numeric bytes: UnsafeRawBufferPointer) -> Int64 {
    func word(_ index: Int) -> Int16 {
      Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self))
    }
    let count = Int(word(0))
    let weight = Int(word(1))
    let isNegative = UInt16(bitPattern: word(2)) == 0x4000
    guard weight >= 0 else { return 0 }
    var value: Int64 = 0
    for index in 0...weight {
      let digit = index < count ? Int64(word(4 + index)) : 0
      let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: 10_000)
      let (sum, overflows) = shifted.addingReportingOverflow(isNegative ? -digit : digit)
      if isTooLarge || overflows { return 0 }
      value = sum
    }
    return value
  }

  private func isBinary(_ column: Int32) -> Bool { PQfformat(handle, column) != 0 }

  private func isColumn(_ column: Int32) -> Bool { (0..<PQnfields(handle)).contains(column) }
}
