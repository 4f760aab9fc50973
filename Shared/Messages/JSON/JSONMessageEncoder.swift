internal import CMessages

/// Writes protobuf-c's structs as JSON, driven by protobuf-c's descriptors.
struct JSONMessageEncoder {
  /// Whether zeros, empty texts and empty lists are written. What is absent – a message, a member of a oneof – is left out
  /// in any case.
  var writesDefaults = false
  private(set) var output: [UInt8] = []

  mutating func append(_ message: UnsafeRawPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
    if appendWellKnown(message, descriptor) { return }
    output.append(UInt8(ascii: "{"))
    var isFirst = true
    for index in 0..<Int(descriptor.pointee.n_fields) {
      let field = descriptor.pointee.fields + index
      guard Self.isPresent(message, field) || writesDefaults && Self.hasDefault(field) else { continue }
      if !isFirst { output.append(UInt8(ascii: ",")) }
      isFirst = false
      JSONText.append(utf8: JSONValue.utf8(field.pointee.name), to: &output)
      output.append(UInt8(ascii: ":"))
      append(field, of: message)
    }
    output.append(UInt8(ascii: "}"))
  }

  private static func isPresent(_ message: UnsafeRawPointer, _ field: UnsafePointer<ProtobufCFieldDescriptor>) -> Bool {
    let quantifier = message + Int(field.pointee.quantifier_offset)
    let target = message + Int(field.pointee.offset)
    if field.pointee.label == PROTOBUF_C_LABEL_REPEATED { return quantifier.load(as: Int.self) > 0 }
    if field.pointee.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0 {
      return quantifier.load(as: UInt32.self) == field.pointee.id
    }
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_STRING:
      return (target.load(as: UnsafePointer<CChar>?.self)?.pointee ?? 0) != 0
    case PROTOBUF_C_TYPE_BYTES: return target.load(as: ProtobufCBinaryData.self).len > 0
    default:
      return field.elementSize == 8 ? target.load(as: UInt64.self) != 0 : target.load(as: UInt32.self) != 0
    }
  }

  private static func hasDefault(_ field: UnsafePointer<ProtobufCFieldDescriptor>) -> Bool {
    if field.pointee.label == PROTOBUF_C_LABEL_REPEATED { return true }
    let isInOneof = field.pointee.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
    return !isInOneof && field.pointee.type != PROTOBUF_C_TYPE_MESSAGE
  }

  private mutating func append(_ field: UnsafePointer<ProtobufCFieldDescriptor>, of message: UnsafeRawPointer) {
    let target = message + Int(field.pointee.offset)
    guard field.pointee.label == PROTOBUF_C_LABEL_REPEATED else {
      append(field, at: target)
      return
    }
    let count = (message + Int(field.pointee.quantifier_offset)).load(as: Int.self)
    let elements = target.load(as: UnsafeRawPointer?.self)
    let isMap = field.isMap
    output.append(UInt8(ascii: isMap ? "{" : "["))
    for index in 0..<count {
      guard let elements else { break }
      if index > 0 { output.append(UInt8(ascii: ",")) }
      let element = elements + index * field.elementSize
      if isMap {
        appendEntry(element.load(as: UnsafeRawPointer.self), field.messageDescriptor)
      } else {
        append(field, at: element)
      }
    }
    output.append(UInt8(ascii: isMap ? "}" : "]"))
  }

  /// A map's entry. All keys are texts in JSON.
  private mutating func appendEntry(
    _ entry: UnsafeRawPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) {
    let key = descriptor.pointee.fields!
    let isText = key.pointee.type == PROTOBUF_C_TYPE_STRING
    if !isText { output.append(UInt8(ascii: "\"")) }
    append(key, at: entry + Int(key.pointee.offset))
    if !isText { output.append(UInt8(ascii: "\"")) }
    output.append(UInt8(ascii: ":"))
    append(key + 1, at: entry + Int(key[1].offset))
  }

  private mutating func append(_ field: UnsafePointer<ProtobufCFieldDescriptor>, at target: UnsafeRawPointer) {
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_MESSAGE:
      if let message = target.load(as: UnsafeRawPointer?.self) {
        append(message, field.messageDescriptor)
      } else {
        // A map's value that was never set.
        output.append(contentsOf: "{}".utf8)
      }
    case PROTOBUF_C_TYPE_STRING:
      let text = target.load(as: UnsafePointer<CChar>?.self)
      JSONText.append(utf8: text.map { JSONValue.utf8($0) } ?? .init(start: nil, count: 0), to: &output)
    case PROTOBUF_C_TYPE_BYTES:
      let data = target.load(as: ProtobufCBinaryData.self)
      output.append(UInt8(ascii: "\""))
      Base64.append(UnsafeBufferPointer(start: data.data, count: data.len), to: &output)
      output.append(UInt8(ascii: "\""))
    case PROTOBUF_C_TYPE_BOOL:
      output.append(contentsOf: (target.load(as: protobuf_c_boolean.self) != 0 ? "true" : "false").utf8)
    case PROTOBUF_C_TYPE_ENUM: appendEnum(target.load(as: Int32.self), field)
    case PROTOBUF_C_TYPE_FLOAT:
      let value = target.load(as: Float.self)
      append(value.isFinite, value.description, isNaN: value.isNaN, isNegative: value < 0)
    case PROTOBUF_C_TYPE_DOUBLE:
      let value = target.load(as: Double.self)
      append(value.isFinite, value.description, isNaN: value.isNaN, isNegative: value < 0)
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
      output.append(contentsOf: target.load(as: Int64.self).description.utf8)
    case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64:
      output.append(contentsOf: target.load(as: UInt64.self).description.utf8)
    case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
      output.append(contentsOf: target.load(as: UInt32.self).description.utf8)
    default: output.append(contentsOf: target.load(as: Int32.self).description.utf8)
    }
  }

  private mutating func appendEnum(_ number: Int32, _ field: UnsafePointer<ProtobufCFieldDescriptor>) {
    let descriptor = field.pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
    guard let value = protobuf_c_enum_descriptor_get_value(descriptor, number) else {
      output.append(contentsOf: number.description.utf8)
      return
    }
    output.append(UInt8(ascii: "\""))
    output.append(contentsOf: String(cString: value.pointee.name).utf8)
    output.append(UInt8(ascii: "\""))
  }

  /// What JSON has no number for is a text, as in protobuf's JSON.
  private mutating func append(_ isFinite: Bool, _ description: String, isNaN: Bool, isNegative: Bool) {
    let text = isFinite ? description : isNaN ? "\"NaN\"" : isNegative ? "\"-Infinity\"" : "\"Infinity\""
    // Swift writes 14.0; JSON's readers that want whole numbers rather see 14.
    output.append(contentsOf: (text.hasSuffix(".0") ? text.dropLast(2) : text[...]).utf8)
  }

  /// Messages that JSON writes as one value.
  private mutating func appendWellKnown(
    _ message: UnsafeRawPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
  ) -> Bool {
    switch descriptor {
    case google__protobuf__timestamp__descriptor_pointer():
      let timestamp = Google.Protobuf.Timestamp(unpacked: message)
      // Outside of what RFC 3339 can say, the fields themselves are the better answer.
      guard timestamp.isValid else { return false }
      JSONText.append(timestamp.text, to: &output)
    case google__type__decimal__descriptor_pointer():
      let decimal = message.assumingMemoryBound(to: Google__Type__Decimal.self)
      guard let value = decimal.pointee.value else { return false }
      let text = JSONValue.utf8(UnsafePointer(value))
      // A text that is no number at all is better off in its field, from where it can be read again.
      guard let number = DecimalText(text) else { return false }
      if number.isJSON {
        output.append(contentsOf: text)
      } else {
        JSONText.append(utf8: text, to: &output)
      }
    default: return false
    }
    return true
  }
}
