internal import CMessages
internal import Glibc

/// The .proto files that this build knows, with all that they import. Reflection answers from it, and the gateway
/// learns from it which methods may be repeated.
public enum DescriptorPool {
  /// All files; a file's imports are among them.
  public static var files: [FileDescriptor] { tables.map(FileDescriptor.init) }

  /// The file with this name, e.g. `omsconnector/v1/stock.proto`.
  public static func file(named name: String) -> FileDescriptor? {
    tables.first { strcmp($0.pointee.name, name) == 0 }.map(FileDescriptor.init)
  }

  /// The file that defines a fully-qualified message, field, oneof, enum, enum value, service or method. A leading dot
  /// is ignored.
  public static func file(containing symbol: String) -> FileDescriptor? {
    let symbol = symbol.hasPrefix(".") ? String(symbol.dropFirst()) : symbol
    return tables.first { table in
      UnsafeBufferPointer(start: table.pointee.symbols, count: table.pointee.symbol_count)
        .contains { candidate in candidate.map { strcmp($0, symbol) == 0 } ?? false }
    }.map(FileDescriptor.init)
  }

  /// The services of all files.
  public static var services: [ServiceDescriptor] { files.flatMap(\.services) }

  /// The service with this fully-qualified name, e.g. `omsconnector.v1.InventoryService`.
  public static func service(named name: String) -> ServiceDescriptor? { services.first { $0.name == name } }

  private static var tables: [UnsafePointer<cm_file>] {
    (0..<cm_file_count).compactMap { cm_file_at($0) }
  }
}

/// One .proto file.
public struct FileDescriptor: Sendable {
  /// As imports spell it, e.g. `omsconnector/v1/stock.proto`.
  public let name: String
  /// The `google.protobuf.FileDescriptorProto` in binary form, without comments.
  public let serialized: [UInt8]
  /// The names of the files that it imports.
  public let dependencies: [String]
  /// The services that it defines.
  public let services: [ServiceDescriptor]
}

/// One gRPC service.
public struct ServiceDescriptor: Sendable {
  /// What a method's `idempotency_level` allows a caller to do.
  public enum Idempotency: Sendable {
    /// Nothing is said: a call that may have been received must not be repeated.
    case unknown
    /// Reads only.
    case noSideEffects
    /// A second call changes nothing more.
    case idempotent
  }

  /// One rpc.
  public struct Method: Sendable {
    /// E.g. `GetStock`.
    public let name: String
    /// E.g. `/omsconnector.v1.InventoryService/GetStock`.
    public let path: String
    /// The request's fully-qualified name.
    public let request: String
    /// The response's fully-qualified name.
    public let response: String
    public let idempotency: Idempotency
    public let isClientStreaming: Bool
    public let isServerStreaming: Bool
  }

  /// Fully qualified, e.g. `omsconnector.v1.InventoryService`.
  public let name: String
  /// In the order of the .proto file.
  public let methods: [Method]
}

extension FileDescriptor {
  fileprivate init(_ table: UnsafePointer<cm_file>) {
    let file = table.pointee
    name = String(cString: file.name)
    serialized = Array(UnsafeBufferPointer(start: file.bytes, count: file.byte_count))
    dependencies = UnsafeBufferPointer(start: file.dependencies, count: file.dependency_count)
      .compactMap { $0.map { String(cString: $0) } }
    services = UnsafeBufferPointer(start: file.services, count: file.service_count).map(ServiceDescriptor.init)
  }
}

extension ServiceDescriptor {
  fileprivate init(_ service: cm_service) {
    name = String(cString: service.name)
    methods = UnsafeBufferPointer(start: service.methods, count: service.method_count).map(Method.init)
  }
}

extension ServiceDescriptor.Method {
  fileprivate init(_ method: cm_method) {
    name = String(cString: method.name)
    path = String(cString: method.path)
    request = String(cString: method.request)
    response = String(cString: method.response)
    idempotency =
      switch method.idempotency {
      case CM_NO_SIDE_EFFECTS: .noSideEffects
      case CM_IDEMPOTENT: .idempotent
      default: .unknown
      }
    isClientStreaming = method.client_streaming
    isServerStreaming = method.server_streaming
  }
}
