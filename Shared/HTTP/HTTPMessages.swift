/// A request as the server has received it whole, or as the client is to send it.
public struct HTTPRequest: Sendable {
  /// "GET", "POST" …: case-sensitive (RFC 9110 §9.1).
  public var method: String
  /// The path, percent-decoded and without the query, when the server hands it out; the absolute URL for the client.
  public var target: String
  public var headers: HTTPHeaders
  /// The bytes as they came.
  public var body: [UInt8]
  /// The client uses a connection of its own for it. On one that is kept, libcurl sends a request again by itself when the server
  /// closes it without an answer, as that may have happened before the request came; or after the server has done what it says.
  public var isSentOnce = false

  public init(method: String, target: String, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }
}

/// What a server answers or a client has received.
public struct HTTPResponse: Sendable {
  /// E.g. 200.
  public var status: Int
  public var headers: HTTPHeaders
  public var body: [UInt8]

  public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer with a JSON body.
  public static func json(status: Int = 200, headers: HTTPHeaders = [:], _ text: String) -> HTTPResponse {
    var headers = headers
    headers["Content-Type"] = "application/json"
    return HTTPResponse(status: status, headers: headers, body: Array(text.utf8))
  }
}
