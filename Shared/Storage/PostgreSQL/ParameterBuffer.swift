import CPQ
import Glibc

/// Types of PostgreSQL by their number in its catalogue (`pg_type.dat`), which never changes.
enum TypeNumber {
  static let bool: Oid = 16
  static let bytes: Oid = 17
  static let int8: Oid = 20
  static let int2: Oid = 21
  static let int4: Oid = 23
  static let text: Oid = 25
  static let float8: Oid = 701
  static let textArray: Oid = 1009
  static let int8Array: Oid = 1016
  static let numeric: Oid = 1700
  /// Left to the server.
  static let unknown: Oid = 0
}

/// The values of a statement's parameters, laid out as libpq takes them. What is bound stays until it is bound anew.
final class ParameterBuffer {
  let count: Int
  let values: UnsafeMutablePointer<UnsafePointer<CChar>?>
  let lengths: UnsafeMutablePointer<Int32>
  /// All binary.
  let formats: UnsafeMutablePointer<Int32>
  let types: UnsafeMutablePointer<Oid>
  private let storage: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private let capacities: UnsafeMutablePointer<Int>

  private static let smallestCapacity = 32
  private static let largestIdleCapacity = 16_384

  init(count: Int) {
    self.count = count
    values = .allocate(capacity: count)
    lengths = .allocate(capacity: count)
    formats = .allocate(capacity: count)
    types = .allocate(capacity: count)
    storage = .allocate(capacity: count)
    capacities = .allocate(capacity: count)
    values.initialize(repeating: nil, count: count)
    lengths.initialize(repeating: 0, count: count)
    formats.initialize(repeating: 1, count: count)
    types.initialize(repeating: TypeNumber.unknown, count: count)
    capacities.initialize(repeating: Self.smallestCapacity, count: count)
    for index in 0..<count { (storage + index).initialize(to: Self.allocate(Self.smallestCapacity)) }
  }

  deinit {
    for index in 0..<count { storage[index].deallocate() }
    values.deallocate()
    lengths.deallocate()
    formats.deallocate()
    types.deallocate()
    storage.deallocate()
    capacities.deallocate()
  }

  func set(_ value: Int64, at index: Int) {
    types[index] = TypeNumber.int8
    storage[index].storeBytes(of: value.bigEndian, as: Int64.self)
    lengths[index] = 8
    values[index] = UnsafePointer(storage[index].assumingMemoryBound(to: CChar.self))
  }

  func set(_ bytes: UnsafeRawBufferPointer, type: Oid, at index: Int) {
    types[index] = type
    if bytes.count > capacities[index] { resize(bytes.count, index) }
    if let base = bytes.baseAddress { memcpy(storage[index], base, bytes.count) }
    lengths[index] = Int32(bytes.count)
    values[index] = UnsafePointer(storage[index].assumingMemoryBound(to: CChar.self))
  }

  /// - Parameter type: `unknown` is good for all.
  func setNull(type: Oid, at index: Int) {
    types[index] = type
    values[index] = nil
    lengths[index] = 0
  }

  /// Forgets the values, and the room for long ones.
  func clear() {
    for index in 0..<count {
      setNull(type: TypeNumber.unknown, at: index)
      if capacities[index] > Self.largestIdleCapacity { resize(Self.smallestCapacity, index) }
    }
  }

  private func resize(_ capacity: Int, _ index: Int) {
    storage[index].deallocate()
    storage[index] = Self.allocate(capacity)
    capacities[index] = capacity
  }

  /// Whether a statement that was prepared for `prepared` can take what is bound now.
  func fits(_ prepared: [Oid]) -> Bool {
    for index in 0..<count where types[index] != prepared[index] {
      if values[index] != nil || types[index] != TypeNumber.unknown { return false }
    }
    return true
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    .allocate(byteCount: count, alignment: 8)
  }
}
