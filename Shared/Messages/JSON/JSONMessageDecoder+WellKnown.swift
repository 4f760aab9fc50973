internal import CJSONC
internal import CMessages

extension JSONMessageDecoder {
  /// Messages that JSON writes as one value; false when the message is none of them, or the value is an object after
  /// all.
  func decodeWellKnown(
    _ value: OpaquePointer?, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ memory: UnsafeMutableRawPointer
  ) throws(MessageError) -> Bool {
    let type = json_object_get_type(value)
    switch descriptor {
    case google__protobuf__timestamp__descriptor_pointer():
      switch type {
      case json_type_object, json_type_null: return false
      case json_type_string:
        let timestamp = try Google.Protobuf.Timestamp(parsing: String(decoding: JSONValue.utf8(value), as: UTF8.self))
        timestamp.fill(memory, in: arena)
        return true
      default: throw Self.unfit(value, "is not a date and time such as \"2024-02-03T04:05:06+00:00\"")
      }
    case google__type__decimal__descriptor_pointer():
      switch type {
      case json_type_object, json_type_null: return false
      case json_type_string, json_type_int, json_type_double:
        let decimal = memory.assumingMemoryBound(to: Google__Type__Decimal.self)
        if type == json_type_int, let integer = JSONValue.integer(value) {
          decimal.pointee.value = arena.string(String(integer))
          return true
        }
        let text = type == json_type_string ? JSONValue.utf8(value) : JSONValue.numberText(value)
        guard DecimalText(text) != nil else { throw Self.unfit(value, "is not a decimal number") }
        decimal.pointee.value = string(text)
        return true
      default: throw Self.unfit(value, "is not a decimal number")
      }
    default: return false
    }
  }
}
