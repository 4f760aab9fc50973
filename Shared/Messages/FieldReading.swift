package import CMessages

// From the members of protobuf-c's structs to Swift values; generated code calls these.

/// protobuf-c never leaves a string of proto3 without text; JSON and the validator have seen to the UTF-8.
@inline(__always)
package func readString(_ text: UnsafeMutablePointer<CChar>?) -> String {
  guard let text else { return "" }
  return String(cString: text)
}

package func readBytes(_ data: ProtobufCBinaryData) -> [UInt8] {
  Array(UnsafeBufferPointer(start: data.data, count: data.len))
}

@inline(__always)
package func readMessages<M: Message, C>(
  _ count: Int, _ elements: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?
) -> [M] {
  readElements(count, elements) { element in
    guard let element else { return M() }
    return M(unpacked: element)
  }
}

package func readStrings(_ count: Int, _ elements: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
  readElements(count, elements) { readString($0) }
}

package func readByteLists(_ count: Int, _ elements: UnsafeMutablePointer<ProtobufCBinaryData>?) -> [[UInt8]] {
  readElements(count, elements) { readBytes($0) }
}

package func readBools(_ count: Int, _ elements: UnsafeMutablePointer<protobuf_c_boolean>?) -> [Bool] {
  readElements(count, elements) { $0 != 0 }
}

package func readEnums<E: MessageEnum, C: RawRepresentable>(
  _ count: Int, _ elements: UnsafeMutablePointer<C>?
) -> [E] where C.RawValue: FixedWidthInteger {
  readElements(count, elements) { E(rawValue: Int32(truncatingIfNeeded: $0.rawValue)) }
}

package func readNumbers<T>(_ count: Int, _ elements: UnsafeMutablePointer<T>?) -> [T] {
  Array(UnsafeBufferPointer(start: elements, count: count))
}

package func readMap<Key: Hashable, Value, C>(
  _ count: Int, _ entries: UnsafeMutablePointer<UnsafeMutablePointer<C>?>?,
  _ read: (UnsafeMutablePointer<C>) -> (Key, Value)
) -> [Key: Value] {
  var result: [Key: Value] = [:]
  for entry in UnsafeBufferPointer(start: entries, count: count) {
    guard let entry else { continue }
    let (key, value) = read(entry)
    result[key] = value
  }
  return result
}

@inline(__always)
private func readElements<T, C>(_ count: Int, _ elements: UnsafeMutablePointer<C>?, _ convert: (C) -> T) -> [T] {
  guard count > 0, let elements else { return [] }
  return [T](unsafeUninitializedCapacity: count) { buffer, initialized in
    for index in 0..<count { buffer.initializeElement(at: index, to: convert(elements[index])) }
    initialized = count
  }
}
