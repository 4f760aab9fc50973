import EventLoop

/// A channel's interceptors on one loop, by method.
///
/// Sendable by the loop: touched there only.
final class ClientInterceptorTable: @unchecked Sendable {
  private let interceptors: [any ClientInterceptor]
  private let target: Target
  private var known: [String: [any ClientMethodInterceptor]] = [:]
  // Callers make the same call again and again; equal strings that share their memory compare in a few instructions.
  private var lastPath = ""
  private var last: [any ClientMethodInterceptor] = []

  /// Methods that are told apart: a bound for callers who make paths up.
  private static let limit = 1000

  init(_ interceptors: [any ClientInterceptor], target: Target) {
    self.interceptors = interceptors
    self.target = target
  }

  /// - Returns: nil when nobody watches the method.
  func watch(_ path: String) -> ClientCallWatch? {
    guard !interceptors.isEmpty else { return nil }
    if path != lastPath {
      last = find(path)
      lastPath = path
    }
    return last.isEmpty ? nil : ClientCallWatch(interceptors: last, startedAt: EventLoop.monotonicNanoseconds())
  }

  private func find(_ path: String) -> [any ClientMethodInterceptor] {
    if let found = known[path] { return found }
    let name = known.count < Self.limit ? path : ""
    let found = known[name] ?? interceptors.compactMap { $0.interceptor(forPath: name, target: target) }
    known[name] = found
    return found
  }
}

/// Those who look at one call.
struct ClientCallWatch: Sendable {
  fileprivate let interceptors: [any ClientMethodInterceptor]
  private let startedAt: UInt64

  fileprivate init(interceptors: [any ClientMethodInterceptor], startedAt: UInt64) {
    self.interceptors = interceptors
    self.startedAt = startedAt
  }

  func attemptStarted(on loop: EventLoop) {
    for interceptor in interceptors { interceptor.attemptStarted(loopIndex: loop.index) }
  }

  func attemptEnded(_ error: RPCError?, startedAt: UInt64, messages: MessageCounts, on loop: EventLoop) {
    let summary = AttemptSummary(
      error: error, durationNanoseconds: Self.nanoseconds(since: startedAt), messages: messages, loopIndex: loop.index)
    for interceptor in interceptors.reversed() { interceptor.attemptEnded(summary) }
  }

  func callEnded(_ error: RPCError?, on loop: EventLoop) {
    let duration = Self.nanoseconds(since: startedAt)
    for interceptor in interceptors.reversed() {
      interceptor.callEnded(error, durationNanoseconds: duration, loopIndex: loop.index)
    }
  }

  private static func nanoseconds(since start: UInt64) -> UInt64 {
    let now = EventLoop.monotonicNanoseconds()
    return now > start ? now - start : 0
  }
}

extension Channel {
  /// Begins a call on the loop of a balancer. Those who watch it are told how it ended by the stream that `body` hands it
  /// over to, or here when it does not get that far.
  func onCall<Result: Sendable>(
    _ path: String, _ body: @escaping @Sendable (Balancer, ClientCallWatch?) async throws -> Result
  ) async throws -> Result {
    try await onLoop { balancer in
      let watch = balancer.interceptors.watch(path)
      do {
        return try await body(balancer, watch)
      } catch {
        watch?.callEnded(RPCError(thrown: error), on: balancer.loop)
        throw error
      }
    }
  }
}

extension ClientStream {
  /// The attempt's headers are on their way.
  /// - Parameter endsCall: whether the call is over with this attempt.
  func begin(_ watch: ClientCallWatch?, endsCall: Bool) {
    guard let watch else { return }
    self.watch = Watch(call: watch, startedAt: EventLoop.monotonicNanoseconds(), endsCall: endsCall)
    watch.attemptStarted(on: loop)
    // The peer, or a deadline, may have been quicker.
    if isConcluded { endWatch(failure) }
  }

  func endWatch(_ error: RPCError?) {
    guard let watch else { return }
    self.watch = nil
    watch.call.attemptEnded(error, startedAt: watch.startedAt, messages: countsWithUnread, on: loop)
    if watch.endsCall { watch.call.callEnded(error, on: loop) }
  }

  /// The status may overtake whoever reads, and the one response of a unary call is read behind it always.
  private var countsWithUnread: MessageCounts {
    var counts = messageCounts
    var rest = UnsafeRawBufferPointer(inbound.bytes)
    while let prefix = MessagePrefix(rest), rest.count >= MessagePrefix.byteCount + prefix.messageCount {
      counts.received += 1
      counts.receivedBytes += prefix.messageCount
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(MessagePrefix.byteCount + prefix.messageCount))
    }
    return counts
  }

  /// Who is to be told of the stream's end.
  struct Watch {
    fileprivate let call: ClientCallWatch
    fileprivate let startedAt: UInt64
    fileprivate let endsCall: Bool
  }
}
