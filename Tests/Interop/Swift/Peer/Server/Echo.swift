import InteropMessages
import RPC

/// What the server sends back as it came: metadata with two names, and the status that a request asks for.
struct Echo {
  static let initialName = "x-grpc-test-echo-initial"
  static let trailingName = "x-grpc-test-echo-trailing-bin"

  private let trailing: Metadata

  /// Echoes the metadata.
  init(_ context: ServerContext) {
    let sent = context.metadata
    var initial = Metadata(), trailing = Metadata()
    for value in sent.values(of: Echo.initialName) { initial.append(Echo.initialName, value) }
    for value in sent.binaryValues(of: Echo.trailingName) { trailing.append(Echo.trailingName, bytes: value) }
    context.setInitialMetadata(initial)
    context.setTrailingMetadata(trailing)
    self.trailing = trailing
  }

  /// - Throws: the status that the client wants to see, unless that is OK or none.
  func status(_ wanted: Grpc.Testing.EchoStatus?) throws {
    guard let wanted, wanted.code != 0 else { return }
    throw RPCError(StatusCode(rawValue: Int(wanted.code)), wanted.message, metadata: trailing)
  }
}
