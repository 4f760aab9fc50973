internal import CJSONC
internal import CMessages
internal import Glibc

extension JSONMessageDecoder {
  /// Stores a JSON value that is not a message. Numbers may be written as texts, and texts as numbers.
  func scalar(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ target: UnsafeMutableRawPointer
  ) throws(MessageError) {
    switch json_object_get_type(value) {
    case json_type_string:
      try scalar(text: JSONValue.utf8(value), field, target)
    case json_type_int, json_type_double:
      if storeInteger(value, field, target) { return }
      switch field.pointee.type {
      case PROTOBUF_C_TYPE_BOOL:
        guard json_object_get_type(value) == json_type_int, (0...1).contains(json_object_get_int64(value)) else {
          throw Self.unfit(value, "is not true or false")
        }
        target.storeBytes(of: json_object_get_boolean(value), as: protobuf_c_boolean.self)
      case PROTOBUF_C_TYPE_BYTES:
        throw Self.unfit(value, "is not a text in base64")
      default:
        try scalar(text: JSONValue.numberText(value), field, target, isNumber: true)
      }
    case json_type_boolean where field.pointee.type == PROTOBUF_C_TYPE_BOOL:
      target.storeBytes(of: json_object_get_boolean(value), as: protobuf_c_boolean.self)
    case json_type_boolean where field.pointee.type == PROTOBUF_C_TYPE_STRING:
      // The value of a custom attribute, say.
      let text: StaticString = json_object_get_boolean(value) == 0 ? "false" : "true"
      target.storeBytes(
        of: string(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)),
        as: UnsafeMutablePointer<CChar>.self)
    case json_type_null:
      storeDefault(field, target)
    default:
      throw Self.unfit(value, "is not \(field.expected)")
    }
  }

  /// Stores a scalar that is written as `text`.
  func scalar(
    text: UnsafeBufferPointer<UInt8>, _ field: UnsafePointer<ProtobufCFieldDescriptor>,
    _ target: UnsafeMutableRawPointer, isNumber: Bool = false
  ) throws(MessageError) {
    func unfit(_ reason: String) -> MessageError {
      let shown = String(decoding: text, as: UTF8.self)
      return .unfit(field: "", value: isNumber ? shown : JSONText.quoted(shown, limit: 64), reason: reason)
    }
    func integer<T: FixedWidthInteger>(_ type: T.Type) throws(MessageError) -> T {
      switch ExactInteger(text) {
      case .value(let isNegative, let magnitude):
        let exact = isNegative ? T(exactly: 0 - Int128(magnitude)) : T(exactly: magnitude)
        if let exact { return exact }
        fallthrough
      case .tooLarge: throw unfit("is out of range; \(T.min) to \(T.max) is allowed")
      case .fraction, .none: throw unfit("is not a whole number")
      }
    }
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_STRING: target.storeBytes(of: string(text), as: UnsafeMutablePointer<CChar>.self)
    case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32:
      target.storeBytes(of: try integer(Int32.self), as: Int32.self)
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
      target.storeBytes(of: try integer(Int64.self), as: Int64.self)
    case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
      target.storeBytes(of: try integer(UInt32.self), as: UInt32.self)
    case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64:
      target.storeBytes(of: try integer(UInt64.self), as: UInt64.self)
    case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_DOUBLE:
      guard let number = Self.floatingPoint(text) else { throw unfit("is not a number") }
      let isFloat = field.pointee.type == PROTOBUF_C_TYPE_FLOAT
      let isTooLarge = isFloat ? Float(number).isInfinite : number.isInfinite
      guard !isTooLarge || text.last == UInt8(ascii: "y") else { throw unfit("is out of range") }
      if isFloat {
        target.storeBytes(of: Float(number), as: Float.self)
      } else {
        target.storeBytes(of: number, as: Double.self)
      }
    case PROTOBUF_C_TYPE_BOOL:
      switch String(decoding: text, as: UTF8.self) {
      case "true", "1": target.storeBytes(of: 1, as: protobuf_c_boolean.self)
      case "false", "0": target.storeBytes(of: 0, as: protobuf_c_boolean.self)
      default: throw unfit("is not true or false")
      }
    case PROTOBUF_C_TYPE_ENUM:
      if let number = field.enumNumber(named: String(decoding: text, as: UTF8.self)) {
        target.storeBytes(of: number, as: Int32.self)
      } else if case .value = ExactInteger(text) {
        target.storeBytes(of: try integer(Int32.self), as: Int32.self)
      } else {
        throw unfit("is not one of \(field.enumNames.joined(separator: ", "))")
      }
    case PROTOBUF_C_TYPE_BYTES:
      guard let bytes = Base64.decode(text) else { throw unfit("is not a text in base64") }
      target.storeBytes(of: arena.bytes(bytes), as: ProtobufCBinaryData.self)
    default: throw unfit("is not \(field.expected)")
    }
  }

  /// The short way for what almost all numbers are; false where the long one has to look at the text.
  private func storeInteger(
    _ value: OpaquePointer?, _ field: UnsafePointer<ProtobufCFieldDescriptor>, _ target: UnsafeMutableRawPointer
  ) -> Bool {
    guard json_object_get_type(value) == json_type_int, let number = JSONValue.integer(value) else { return false }
    func store<T: FixedWidthInteger>(_ type: T.Type) -> Bool {
      guard let exact = T(exactly: number) else { return false }
      target.storeBytes(of: exact, as: T.self)
      return true
    }
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_ENUM:
      return store(Int32.self)
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64: return store(Int64.self)
    case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: return store(UInt32.self)
    case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: return store(UInt64.self)
    default: return false
    }
  }

  /// A C string; the scanner has refused NULs.
  func string(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<CChar> {
    let copy = arena.allocate(text.count + 1)
    if let start = text.baseAddress { memcpy(copy, start, text.count) }
    copy.storeBytes(of: 0, toByteOffset: text.count, as: UInt8.self)
    return copy.assumingMemoryBound(to: CChar.self)
  }

  private func storeDefault(_ field: UnsafePointer<ProtobufCFieldDescriptor>, _ target: UnsafeMutableRawPointer) {
    switch field.pointee.type {
    case PROTOBUF_C_TYPE_STRING:
      target.storeBytes(of: string(UnsafeBufferPointer(start: nil, count: 0)), as: UnsafeMutablePointer<CChar>.self)
    default:
      memset(target, 0, field.elementSize)
    }
  }

  /// Nil when the text is no number. Protobuf's JSON writes what JSON lacks as texts.
  private static func floatingPoint(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    let string = String(decoding: text, as: UTF8.self)
    switch string {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: return DecimalText(text) == nil ? nil : Double(string)
    }
  }
}

extension UnsafePointer<ProtobufCFieldDescriptor> {
  /// What a value of the field is, for an error message.
  fileprivate var expected: String {
    switch pointee.type {
    case PROTOBUF_C_TYPE_STRING: "a text"
    case PROTOBUF_C_TYPE_BOOL: "true or false"
    case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_DOUBLE: "a number"
    case PROTOBUF_C_TYPE_BYTES: "a text in base64"
    case PROTOBUF_C_TYPE_ENUM: "one of \(enumNames.joined(separator: ", "))"
    case PROTOBUF_C_TYPE_MESSAGE: "an object"
    default: "a whole number"
    }
  }

  private var enumValues: UnsafeBufferPointer<ProtobufCEnumValue> {
    let descriptor = pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
    return UnsafeBufferPointer(start: descriptor.pointee.values, count: Int(descriptor.pointee.n_values))
  }

  /// The prefix that buf's STANDARD style gives to all values, e.g. `SNAPSHOT_MODE_`.
  private var enumPrefix: String {
    let descriptor = pointee.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
    var prefix = ""
    for character in String(cString: descriptor.pointee.short_name) {
      if character.isUppercase, !prefix.isEmpty { prefix += "_" }
      prefix += character.uppercased()
    }
    return prefix + "_"
  }

  /// The value with this name, with or without the enum's prefix.
  fileprivate func enumNumber(named name: String) -> Int32? {
    let names = [name, enumPrefix + name]
    return enumValues.first { names.contains(String(cString: $0.name)) }?.value
  }

  /// Without the prefix, and without the value that stands for none.
  fileprivate var enumNames: [String] {
    let prefix = enumPrefix
    let names = enumValues.map { String(cString: $0.name) }
    return names.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }.filter { $0 != "UNSPECIFIED" }
  }
}
