import InteropMessages
import RPC

/// A case did not see what gRPC's description of it promises.
struct Failed: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func expect<Value: Equatable>(_ what: String, _ found: Value, is expected: Value) throws {
  guard found == expected else { throw Failed("\(what): \(found), not \(expected)") }
}

/// All cases' payloads are zeros.
func expect(_ what: String, _ payload: [UInt8]?, isZeros count: Int) throws {
  guard let payload else { throw Failed("\(what): there is no payload") }
  try expect("\(what): size of the payload", payload.count, is: count)
  guard payload.allSatisfy({ $0 == 0 }) else { throw Failed("\(what): the payload is not all zeros") }
}

/// The call must end with that status.
@discardableResult
func expect(
  _ what: String, endsWith code: StatusCode, message: String? = nil, _ call: () async throws -> Void
) async throws -> RPCError {
  do {
    try await call()
  } catch let error as RPCError {
    try expect("\(what): status (\(error))", error.code, is: code)
    if let message { try expect("\(what): message of the status", error.message, is: message) }
    return error
  }
  throw Failed("\(what): the call ended with OK, not \(code)")
}

func zeros(_ count: Int) -> Grpc.Testing.Payload { .init(body: [UInt8](repeating: 0, count: count)) }
