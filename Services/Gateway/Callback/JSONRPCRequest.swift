import Messages

/// A message of the service bus: one JSON-RPC 2.0 request, with the liberties that senders take.
///
/// `jsonrpc` may be missing and other members may be there (the Go stand-in leaves out the one and adds `client`). The
/// id may be of any type. Source: messages.md §1, "Envelope".
struct JSONRPCRequest {
  /// JSON text, to be echoed; ``noID`` when there is none.
  let id: String
  let method: String
  /// Whether it is an object is for the method to say, so that an unknown method is named first.
  let params: CompactJSON?

  /// Stands for an id that is missing, or `null`: such a message is like any other of its content.
  static let noID = "null"
  /// Longer ids are refused: they go into journals and logs.
  static let maxIDBytes = 1024

  init(parsing body: [UInt8]) throws(JSONRPCError) {
    let envelope = try Self.parse(body)
    guard envelope.kind != .array else {
      throw JSONRPCError(.invalidRequest, "a batch: the service bus has none, send each message by itself")
    }
    guard envelope.kind == .object else { throw JSONRPCError(.invalidRequest, "the message is no JSON object") }

    let members = envelope.members(["id", "jsonrpc", "method", "params"])
    let id = members[0]?.text ?? Self.noID
    guard id.utf8.count <= Self.maxIDBytes else {
      throw JSONRPCError(.invalidRequest, "the id is longer than \(Self.maxIDBytes) bytes")
    }
    if let version = members[1], version.kind != .null, version.string != "2.0" {
      throw JSONRPCError(.invalidRequest, "jsonrpc is \(version.excerpt), not \"2.0\"", id: id)
    }
    guard let method = members[2] else { throw JSONRPCError(.invalidRequest, "method is missing", id: id) }
    guard let name = method.string, !name.isEmpty else {
      throw JSONRPCError(.invalidRequest, "method is \(method.excerpt), not a name", id: id)
    }
    self.id = id
    self.method = name
    params = members[3]
  }

  private static func parse(_ body: [UInt8]) throws(JSONRPCError) -> CompactJSON {
    do throws(MessageError) {
      return try CompactJSON(parsing: body)
    } catch {
      switch error {
      // JSON, but not such as can be worked on.
      case .embeddedNUL, .tooManyFields: throw JSONRPCError(.invalidRequest, "\(error)")
      default: throw JSONRPCError(.parseError, "\(error)")
      }
    }
  }

  /// Of a request that can't be taken: its method and its key, as far as they are there; else empty.
  static func names(in body: [UInt8]) -> (method: String, key: String) {
    let envelope: CompactJSON
    do throws(JSONRPCError) {
      envelope = try parse(body)
    } catch {
      return ("", "")  // it has none
    }
    guard envelope.kind == .object, let method = envelope["method"]?.string else { return ("", "") }
    let path = BusMethod.named(method)?.keyPath ?? []
    let key = path.isEmpty ? nil : path.reduce(envelope["params"]) { $0?[$1] }?.string
    return (method, key ?? "")
  }

  /// The member at this path of names inside the params, when it is a string.
  func string(at path: [String]) -> String? {
    path.reduce(params) { $0?[$1] }?.string
  }
}
