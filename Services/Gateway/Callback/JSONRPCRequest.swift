/// A message of the service bus: one JSON-RPC 2.0 request, with the liberties that senders take.
///
/// `jsonrpc` may be missing and other members may be there (the Go stand-in leaves out the one and adds `client`). The id
/// may be of any type. Source: messages.md §1, "Envelope".
struct JSONRPCRequest: Sendable {
  /// JSON text, to be echoed; `null` when there is none.
  let id: String
  let method: String
  /// In the sender's own bytes; whether it is an object is for the method to say, so that an unknown method is named
  /// first.
  let params: JSONFragment?

  /// Longer ids are refused: they go into journals and logs.
  static let maxIDBytes = 1024

  init(parsing body: [UInt8]) throws(JSONRPCError) {
    let envelope: JSONFragment
    do throws(JSONSyntaxError) {
      envelope = try JSONFragment(parsing: body)
    } catch {
      throw JSONRPCError(.parseError, "\(error)")
    }
    guard envelope.kind != .array else {
      throw JSONRPCError(.invalidRequest, "a batch: the service bus has none, send each message by itself")
    }
    guard envelope.kind == .object else { throw JSONRPCError(.invalidRequest, "the message is no JSON object") }

    var found: (id: JSONFragment?, version: JSONFragment?, method: JSONFragment?, params: JSONFragment?)
    envelope.forEachMember { name, value in
      switch name {
      case "id": found.id = value
      case "jsonrpc": found.version = value
      case "method": found.method = value
      case "params": found.params = value
      default: break
      }
    }
    if let id = found.id, id.bytes.count > Self.maxIDBytes {
      throw JSONRPCError(.invalidRequest, "the id is longer than \(Self.maxIDBytes) bytes")
    }
    let id = found.id?.text ?? "null"
    if let version = found.version, version.kind != .null, version.string != "2.0" {
      throw JSONRPCError(.invalidRequest, "jsonrpc is \(Self.excerpt(version)), not \"2.0\"", id: id)
    }
    guard let method = found.method else { throw JSONRPCError(.invalidRequest, "method is missing", id: id) }
    guard let name = method.string, !name.isEmpty else {
      throw JSONRPCError(.invalidRequest, "method is \(Self.excerpt(method)), not a name", id: id)
    }
    self.id = id
    self.method = name
    self.params = found.params
  }

  /// The member at this path of names inside the params, when it is a string.
  func string(at path: [String]) -> String? {
    path.reduce(params) { $0?.member($1) }?.string
  }

  private static func excerpt(_ value: JSONFragment) -> String {
    value.bytes.count <= 40 ? value.text : String(decoding: value.bytes.prefix(40), as: UTF8.self) + "…"
  }
}
