import EventLoop

/// What is read again when the process gets SIGHUP: certificates, tokens. Calls go on meanwhile.
public final class Reloads: Sendable {
  private let actions = Lock<[(name: String, body: @Sendable () throws -> Void)]>([])

  init() {}

  /// - Parameters:
  ///   - name: what it is, for logs.
  ///   - body: reads it, on the main thread, where it may block. When it throws, what was there before has to be left in use.
  func add(_ name: String, _ body: @escaping @Sendable () throws -> Void) {
    actions.withLock { $0.append((name, body)) }
  }

  /// Reads everything, and logs how it went.
  func run() {
    for (name, body) in actions.withLock({ $0 }) {
      do {
        try body()
        Log.info("read again", ["what": "\(name)"])
      } catch {
        Log.error(
          "cannot be read again; what was there before stays in use", ["what": "\(name)", "reason": LogValue(error)])
      }
    }
  }
}
