package import CMessages
internal import Glibc

// From Swift values to the members of protobuf-c's structs; generated code calls these.
extension MessageArena {
  /// A C string. A NUL cannot be carried: protobuf-c would cut the text there. It becomes U+FFFD, the replacement
  /// character, so that the loss is visible and the receiver's check lets the message pass.
  @inline(__always)
  package func string(_ value: String) -> UnsafeMutablePointer<CChar> {
    var value = value
    return value.withUTF8 { text in
      let copy = allocate(text.count + 1).assumingMemoryBound(to: CChar.self)
      if let source = text.baseAddress {
        if memchr(source, 0, text.count) != nil { return stringReplacingNULs(text) }
        memcpy(copy, source, text.count)
      }
      copy[text.count] = 0
      return copy
    }
  }

  private func stringReplacingNULs(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<CChar> {
    let copy = allocate(text.count * 3 + 1).assumingMemoryBound(to: UInt8.self)
    var end = 0
    for byte in text {
      for replacement in byte == 0 ? [0xef, 0xbf, 0xbd] : [byte] {
        copy[end] = replacement
        end += 1
      }
    }
    copy[end] = 0
    return UnsafeMutableRawPointer(copy).assumingMemoryBound(to: CChar.self)
  }

  package func bytes(_ value: [UInt8]) -> ProtobufCBinaryData {
    let copy = allocate(UInt8.self, count: value.count)
    value.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { copy.update(from: base, count: source.count) }
    }
    return ProtobufCBinaryData(len: value.count, data: copy)
  }

  @inline(__always)
  package func message<M: Message, C>(_ value: M) -> UnsafeMutablePointer<C> {
    let memory = allocate(M.descriptor.structSize)
    value.fill(memory, in: self)
    return memory.assumingMemoryBound(to: C.self)
  }

  /// Elements of a repeated message field: the structs side by side, and the pointers to them.
  package func messages<M: Message, C>(_ values: [M]) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<C>?>?) {
    if values.isEmpty { return (0, nil) }
    let structs = allocate(C.self, count: values.count)
    let pointers = allocate(UnsafeMutablePointer<C>?.self, count: values.count)
    values.withUnsafeBufferPointer { source in
      for index in source.indices {
        source[index].fill(structs + index, in: self)
        (pointers + index).initialize(to: structs + index)
      }
    }
    return (values.count, pointers)
  }

  package func strings(_ values: [String]) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    elements(values) { string($0) }
  }

  package func byteLists(_ values: [[UInt8]]) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
    elements(values) { bytes($0) }
  }

  package func bools(_ values: [Bool]) -> (Int, UnsafeMutablePointer<protobuf_c_boolean>?) {
    elements(values) { $0 ? 1 : 0 }
  }

  package func enums<E: MessageEnum, C: RawRepresentable>(_ values: [E]) -> (Int, UnsafeMutablePointer<C>?)
  where C.RawValue: FixedWidthInteger {
    // A C enum is imported as a struct around its number, signed only if one of its values is negative.
    elements(values) { unsafeBitCast($0.rawValue, to: C.self) }
  }

  package func numbers<T>(_ values: [T]) -> (Int, UnsafeMutablePointer<T>?) {
    elements(values) { $0 }
  }

  /// A map's entries in the order of their keys, so that equal messages give equal bytes.
  package func map<Key: Comparable & Hashable, Value, C>(
    _ values: [Key: Value],
    _ initialize: (UnsafeMutablePointer<C>) -> Void,
    _ fill: (UnsafeMutablePointer<C>, Key, Value) -> Void
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<C>?>?) {
    entries(values.sorted { $0.key < $1.key }, initialize, fill)
  }

  /// The same for the keys that have no order in Swift: false first.
  package func map<Value, C>(
    _ values: [Bool: Value],
    _ initialize: (UnsafeMutablePointer<C>) -> Void,
    _ fill: (UnsafeMutablePointer<C>, Bool, Value) -> Void
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<C>?>?) {
    entries(values.sorted { !$0.key && $1.key }, initialize, fill)
  }

  private func entries<Key, Value, C>(
    _ pairs: [(key: Key, value: Value)],
    _ initialize: (UnsafeMutablePointer<C>) -> Void,
    _ fill: (UnsafeMutablePointer<C>, Key, Value) -> Void
  ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<C>?>?) {
    elements(pairs) { pair in
      let entry = allocate(C.self, count: 1)
      initialize(entry)
      fill(entry, pair.key, pair.value)
      return entry
    }
  }

  @inline(__always)
  private func elements<T, C>(_ values: [T], _ convert: (T) -> C) -> (Int, UnsafeMutablePointer<C>?) {
    if values.isEmpty { return (0, nil) }
    let copies = allocate(C.self, count: values.count)
    for index in values.indices { (copies + index).initialize(to: convert(values[index])) }
    return (values.count, copies)
  }
}
