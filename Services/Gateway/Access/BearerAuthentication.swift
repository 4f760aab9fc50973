import EventLoop
import RPC
import ServiceKit

/// Lets calls in that come with a bearer token (RFC 6750 §2.1) of the file, or over a Unix socket, whose peers the system
/// vouches for. The file can be read again while it serves.
final class BearerAuthentication: ServerInterceptor {
  private let path: String
  private let table: Lock<TokenTable>

  /// Open to everybody: probes of load balancers and orchestrators carry no token, and learn no more than whether a service
  /// is up.
  private static let openPaths: Set<String> = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"]

  /// - Throws: which file, which line, and what is wrong with it.
  init(file path: String) throws(ConfigurationError) {
    self.path = path
    table = Lock(try BearerAuthentication.read(path))
  }

  /// Reads the file again. Clients whose token is not in it any more are refused from their next call on.
  /// - Throws: as `init`; the tokens of before stay then.
  func reload() throws(ConfigurationError) {
    let new = try BearerAuthentication.read(path)
    table.withLock { $0 = new }
  }

  private static func read(_ path: String) throws(ConfigurationError) -> TokenTable {
    let name = GatewaySettings.tokensFile.name
    let text: String
    do {
      text = try SecretFile.read(path)
    } catch {
      throw ConfigurationError(problems: ["\(name): \(error)"])
    }
    do {
      return try TokenTable(parsing: text)
    } catch {
      throw ConfigurationError(problems: ["\(name): \"\(path)\" \(error)"])
    }
  }

  func interceptor(forPath path: String) -> (any MethodInterceptor)? {
    Self.openPaths.contains(path) ? nil : self
  }
}

extension BearerAuthentication: MethodInterceptor {
  func callStarted(_ context: ServerContext) throws(RPCError) {
    guard case .tcp = context.peer.kind else { return }
    context.authenticated(as: try owner(of: context.metadata["authorization"]))
  }

  /// Whose token the header `Authorization` has.
  func owner(of header: String?) throws(RPCError) -> String {
    guard let header else {
      throw RPCError(
        .unauthenticated,
        "the call has no token; send the metadata \"authorization: Bearer TOKEN\", or call the gateway's Unix socket")
    }
    let scheme = "bearer "
    guard header.utf8.count > scheme.utf8.count, header.prefix(scheme.utf8.count).lowercased() == scheme else {
      throw RPCError(.unauthenticated, "the metadata \"authorization\" is not \"Bearer TOKEN\"")
    }
    let token = Array(header.utf8.dropFirst(scheme.utf8.count))
    guard let owner = table.withLock({ $0.owner(of: token) }) else {
      throw RPCError(.unauthenticated, "the token is not one of the gateway's; ask whoever runs it for one")
    }
    return owner
  }
}
