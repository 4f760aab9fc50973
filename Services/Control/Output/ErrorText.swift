import RPC

/// A status as a person reads it: the code and the message, and below them what the details add.
enum ErrorText {
  static func lines(of error: RPCError) -> [String] {
    ["\(error)"] + error.details.flatMap { lines(of: $0, besides: error.message) }.map { "  " + $0 }
  }

  private static func lines(of detail: ErrorDetail, besides message: String) -> [String] {
    switch detail {
    case .badRequest(let violations):
      // The message of a request with one wrong field says the same.
      violations.map { message.contains($0.description) ? "field: \($0.field)" : "\($0.field): \($0.description)" }
    case .errorInfo(let reason, let domain, let metadata):
      [
        "reason: "
          + ([reason] + metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
          .joined(separator: " ") + " (\(domain))"
      ]
    case .retryInfo(let delay): ["worth trying again after \(delay.formatted)"]
    case .other(let message): ["detail: \(message.typeUrl.split(separator: "/").last ?? "of no type")"]
    }
  }
}

extension Duration {
  /// In seconds, to the millisecond.
  fileprivate var formatted: String {
    let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
  }
}
