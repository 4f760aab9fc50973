package import CMessages

/// protobuf-c's description of a message type: a constant that lives as long as the process, which is why it may be
/// shared between threads.
public struct MessageDescriptor: @unchecked Sendable {
  package let pointer: UnsafePointer<ProtobufCMessageDescriptor>

  package init(_ pointer: UnsafePointer<ProtobufCMessageDescriptor>) { self.pointer = pointer }

  /// Bytes of the C struct.
  package var structSize: Int { pointer.pointee.sizeof_message }

  /// The fully-qualified protobuf name.
  public var fullName: String { String(cString: pointer.pointee.name) }
}
