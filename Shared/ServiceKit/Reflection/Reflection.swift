import Messages
import RPC

/// Answers server reflection for one server, in either version of the protocol.
///
/// Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
struct Reflection: Sendable {
  /// What a client asks.
  enum Question: Equatable {
    case fileByName(String)
    case fileOfSymbol(String)
    case extensionOf(type: String)
    case extensionNumbers(type: String)
    case services
    case nothing
  }

  /// What it gets.
  enum Answer: Equatable {
    /// Serialized FileDescriptorProtos.
    case files([[UInt8]])
    case extensionNumbers(type: String)
    case services([String])
    case error(StatusCode, String)
  }

  /// Full names, in the order in which they are listed.
  let services: [String]
  /// Files that those services are in, and all that these need. Whoever asks a gateway does not get to see what the services
  /// behind it say to each other, although it is linked in.
  private let visible: Set<String>

  init(services: [String]) {
    self.services = services
    visible = Set(services.compactMap(DescriptorPool.file(containing:)).flatMap(Self.withDependencies).map(\.name))
  }

  func answer(_ question: Question) -> Answer {
    switch question {
    case .fileByName(let name):
      return files(visible(DescriptorPool.file(named: name)), or: "file \"\(name)\"")
    case .fileOfSymbol(let symbol):
      return files(file(containing: symbol), or: "symbol \"\(symbol)\"")
    case .extensionOf(let type):
      // proto3 has no extensions but custom options, and there are none here.
      return .error(.notFound, "type \"\(type)\" has no extensions")
    case .extensionNumbers(let type):
      guard file(containing: type) != nil else {
        return .error(.notFound, "type \"\(type)\" is not known here")
      }
      return .extensionNumbers(type: type)
    case .services:
      return .services(services)
    case .nothing:
      return .error(.invalidArgument, "the request asks nothing; set one of the fields of message_request")
    }
  }

  private func files(_ file: FileDescriptor?, or what: String) -> Answer {
    guard let file else { return .error(.notFound, "\(what) is not known here") }
    return .files(Self.withDependencies(file).map(\.serialized))
  }

  private func file(containing symbol: String) -> FileDescriptor? {
    visible(DescriptorPool.file(containing: symbol))
  }

  private func visible(_ file: FileDescriptor?) -> FileDescriptor? {
    file.flatMap { visible.contains($0.name) ? $0 : nil }
  }

  /// The file, and behind it every file that it needs, each once: a client then asks one question a service.
  private static func withDependencies(_ file: FileDescriptor) -> [FileDescriptor] {
    var found: [FileDescriptor] = []
    var seen: Set<String> = [file.name]
    var queue = [file][...]
    while let next = queue.popFirst() {
      found.append(next)
      queue += next.dependencies.filter { seen.insert($0).inserted }.compactMap { DescriptorPool.file(named: $0) }
    }
    return found
  }
}
