import HTTP
import Messages

/// The error of a JSON-RPC 2.0 reply. Codes: messages.md §1, "Server rule".
struct JSONRPCError: Error, Equatable, CustomStringConvertible {
  enum Code: Int, Sendable {
    case parseError = -32700
    case invalidRequest = -32600
    case methodNotFound = -32601
    case invalidParams = -32602
    case handlerFailed = -32000
  }

  let code: Code
  /// What is wrong, with which value, and what to do.
  let message: String
  /// JSON text.
  let id: String

  init(_ code: Code, _ message: String, id: String = "null") {
    self.code = code
    self.message = message
    self.id = id
  }

  var description: String { "\(code.rawValue) \(message)" }

  /// As JSON text.
  var object: String { #"{"code":\#(code.rawValue),"message":\#(JSONText.quoted(message))}"# }
}

extension HTTPResponse {
  /// A reply that carries `error`. A bad message is still a delivered one: HTTP says 200 unless told otherwise.
  static func jsonRPC(_ error: JSONRPCError, status: Int = 200, headers: HTTPHeaders = [:]) -> HTTPResponse {
    .json(status: status, headers: headers, #"{"jsonrpc":"2.0","id":\#(error.id),"error":\#(error.object)}"#)
  }

  /// A reply that carries an error of an earlier time.
  ///
  /// - Parameter error: a JSON-RPC error object, as JSON text.
  static func jsonRPC(id: String, error: [UInt8]) -> HTTPResponse {
    .json(
      status: 200, headers: [:], #"{"jsonrpc":"2.0","id":\#(id),"error":\#(String(decoding: error, as: UTF8.self))}"#)
  }

  /// A reply that carries a result.
  ///
  /// - Parameter result: JSON text; nothing stands for `null`.
  static func jsonRPC(id: String, result: [UInt8]) -> HTTPResponse {
    var body = Array(#"{"jsonrpc":"2.0","id":\#(id),"result":"#.utf8)
    body += result.isEmpty ? Array("null".utf8) : result
    body.append(UInt8(ascii: "}"))
    return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: body)
  }
}
