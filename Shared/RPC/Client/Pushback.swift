import EventLoop

/// What a server says about trying again. Source: gRPC's proposal A6, "Pushback".
enum Pushback: Equatable {
  /// Nothing.
  case none
  /// Not before so many nanoseconds have passed.
  case after(nanoseconds: UInt64)
  /// Not at all: a negative number, or something that is none.
  case never

  static let field = "grpc-retry-pushback-ms"

  /// - Parameter value: of `grpc-retry-pushback-ms`: a signed 32-bit number of milliseconds in decimal.
  init(milliseconds value: String?) {
    guard let value else {
      self = .none
      return
    }
    // Int32 would take a plus sign, too.
    guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let milliseconds = Int32(value) else {
      self = .never
      return
    }
    self = .after(nanoseconds: UInt64(milliseconds) * 1_000_000)
  }

  /// What the status of a call says: in the field, else as RetryInfo in its details.
  init(_ error: RPCError) {
    if let value = error.metadata[Pushback.field] {
      self.init(milliseconds: value)
      return
    }
    for case .retryInfo(let delay) in error.details {
      self = delay < .zero ? .never : .after(nanoseconds: delay.nanoseconds)
      return
    }
    self = .none
  }
}
