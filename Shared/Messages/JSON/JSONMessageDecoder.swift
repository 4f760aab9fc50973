internal import CJSONC
internal import CMessages
internal import Glibc

/// Builds protobuf-c's structs from JSON, driven by protobuf-c's descriptors. The parser has bounded depth and size.
struct JSONMessageDecoder {
  let arena: MessageArena

  /// The struct for a whole message.
  func message(
    _ value: OpaquePointer?, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) throws(MessageError) -> UnsafeMutableRawPointer {
    let memory = arena.allocate(descriptor.pointee.sizeof_message)
    descriptor.pointee.message_init(memory.assumingMemoryBound(to: ProtobufCMessage.self))
    if try decodeWellKnown(value, descriptor, memory) { return memory }
    switch json_object_get_type(value) {
    case json_type_object: break
    // What PHP makes of an object without members.
    case json_type_array where json_object_array_length(value) == 0: return memory
    case json_type_null: return memory
    default: throw Self.unfit(value, "is not an object")
    }
    try JSONValue.forEachMember(of: value) { (name, member) throws(MessageError) in
      guard member != nil, let field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name) else { return }
      do throws(MessageError) {
        try decode(member, field, memory)
      } catch {
        throw error.inside(String(cString: name))
      }
    }
    return memory
  }

  private func decode(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ message: UnsafeMutableRawPointer
  ) throws(MessageError) {
    let target = message + Int(field.pointee.offset)
    let quantifier = message + Int(field.pointee.quantifier_offset)
    if field.pointee.label == PROTOBUF_C_LABEL_REPEATED {
      let isMap = field.isMap
      let (count, elements) = isMap ? try map(value, field) : try list(value, field)
      quantifier.storeBytes(of: count, as: Int.self)
      target.storeBytes(of: elements, as: UnsafeMutableRawPointer?.self)
      return
    }
    if field.pointee.type == PROTOBUF_C_TYPE_MESSAGE, Self.isEmptyArray(value) { return }
    if field.pointee.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0 {
      guard quantifier.load(as: UInt32.self) == 0 else {
        throw Self.unfit(value, "is one too many: only one field of its oneof may be set")
      }
      quantifier.storeBytes(of: field.pointee.id, as: UInt32.self)
    }
    try element(value, field, target)
  }

  private func list(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>
  ) throws(MessageError) -> (Int, UnsafeMutableRawPointer?) {
    guard json_object_get_type(value) == json_type_array else { throw Self.unfit(value, "is not a list") }
    let count = json_object_array_length(value)
    let size = field.elementSize
    let elements = arena.allocate(count * size)
    for index in 0..<count {
      do throws(MessageError) {
        try element(json_object_array_get_idx(value, index), field, elements + index * size)
      } catch {
        throw error.insideElement(index)
      }
    }
    return (count, count == 0 ? nil : elements)
  }

  /// protobuf-c has maps as lists of entries with the fields `key` and `value`.
  private func map(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>
  ) throws(MessageError) -> (Int, UnsafeMutableRawPointer?) {
    if Self.isEmptyArray(value) { return (0, nil) }
    guard json_object_get_type(value) == json_type_object else { throw Self.unfit(value, "is not an object") }
    let entryDescriptor = field.messageDescriptor
    let fields = entryDescriptor.pointee.fields!
    let entries = arena.allocate(UnsafeMutableRawPointer.self, count: Int(json_object_object_length(value)))
    var count = 0
    try JSONValue.forEachMember(of: value) { (name, member) throws(MessageError) in
      let entry = arena.allocate(entryDescriptor.pointee.sizeof_message)
      entryDescriptor.pointee.message_init(entry.assumingMemoryBound(to: ProtobufCMessage.self))
      do throws(MessageError) {
        try scalar(text: JSONValue.utf8(name), fields, entry + Int(fields[0].offset))
        try element(member, fields + 1, entry + Int(fields[1].offset))
      } catch {
        throw error.inside("[\(JSONText.quoted(String(cString: name), limit: 64))]")
      }
      entries[count] = entry
      count += 1
    }
    return (count, count == 0 ? nil : UnsafeMutableRawPointer(entries))
  }

  /// One value: a field's, a list's element or a map's value. In lists and maps `null` stands for the default, so that
  /// what follows keeps its index.
  private func element(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ target: UnsafeMutableRawPointer
  ) throws(MessageError) {
    if field.pointee.type == PROTOBUF_C_TYPE_MESSAGE {
      target.storeBytes(of: try message(value, field.messageDescriptor), as: UnsafeMutableRawPointer.self)
    } else {
      try scalar(value, field, target)
    }
  }

  static func isEmptyArray(_ value: OpaquePointer?) -> Bool {
    json_object_get_type(value) == json_type_array && json_object_array_length(value) == 0
  }

  static func unfit(_ value: OpaquePointer?, _ reason: String) -> MessageError {
    .unfit(field: "", value: JSONValue.shown(value), reason: reason)
  }
}

extension UnsafePointer<ProtobufCFieldDescriptor> {
  /// The field's message type; only for fields of one.
  var messageDescriptor: UnsafePointer<ProtobufCMessageDescriptor> {
    pointee.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
  }

  /// Whether the field was declared as a map. protobuf-c's descriptors don't say, but protoc names the entry type after
  /// the field, and the generator refuses such a type where it is declared by hand.
  var isMap: Bool {
    guard pointee.type == PROTOBUF_C_TYPE_MESSAGE else { return false }
    let entry = messageDescriptor.pointee
    guard entry.n_fields == 2, strcmp(entry.fields[0].name, "key") == 0, strcmp(entry.fields[1].name, "value") == 0
    else { return false }
    let name = String(cString: pointee.name).split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
    return String(cString: entry.short_name) == name.joined() + "Entry"
  }

  /// Bytes of one value in the C struct.
  var elementSize: Int {
    switch pointee.type {
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_UINT64,
      PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_MESSAGE:
      8
    case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
    default: 4
    }
  }
}

extension MessageError {
  /// The same error, its field being inside another one.
  func inside(_ outer: String) -> MessageError {
    func joined(_ inner: String) -> String {
      inner.isEmpty || inner.hasPrefix("[") ? outer + inner : "\(outer).\(inner)"
    }
    switch self {
    case .malformed(let field, let reason): return .malformed(field: joined(field), reason: reason)
    case .invalidUTF8(let field): return .invalidUTF8(field: joined(field))
    case .embeddedNUL(let field): return .embeddedNUL(field: joined(field))
    case .tooDeep(let field): return .tooDeep(field: joined(field))
    case .tooManyFields(let field): return .tooManyFields(field: joined(field))
    case .notJSON: return self
    case .unfit(let field, let value, let reason): return .unfit(field: joined(field), value: value, reason: reason)
    }
  }

  /// The same in an element of a list.
  func insideElement(_ index: Int) -> MessageError { inside("[\(index)]") }
}
