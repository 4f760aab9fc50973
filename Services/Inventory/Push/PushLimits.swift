import Commerce
import EventLoop

/// How much the shop takes at once, as far as it has been found out. Shared by all partitions of a process.
final class PushLimits: Sendable {
  private struct State {
    /// Rows of a body. Since 2.4.3 a shop takes 20 unless its owner says otherwise (magento-rules.md §4), older ones any number.
    var rows = 100
    /// Rows of an asynchronous body.
    var asynchronousRows = 5_000
    /// Whether bulk jobs can be made and followed.
    var hasBulk = true
  }

  private let state = Lock(State())

  /// From so many due rows of a partition on, a bulk job is less work for the shop and for us than bodies one after the other.
  static let bulkFrom = 500

  var rows: Int { state.withLock { $0.rows } }
  var asynchronousRows: Int { state.withLock { $0.asynchronousRows } }
  var hasBulk: Bool { state.withLock { $0.hasBulk } }

  /// The shop has no queue, or we may not look into it.
  func giveUpBulk() { state.withLock { $0.hasBulk = false } }

  /// Lowers what is sent at once when the error says that it was too much ("Maximum items of type … is 20").
  ///
  /// - Returns: whether sending less makes sense.
  func lower(after error: CommerceError, from used: Int, asynchronous: Bool = false) -> Bool {
    guard error.kind == .refused, error.message.contains("Maximum items of type"),
      let number = error.message.split(whereSeparator: { !$0.isASCII || !$0.isNumber }).last.flatMap({ Int($0) }),
      (1..<used).contains(number)
    else { return false }
    state.withLock { state in
      if asynchronous {
        state.asynchronousRows = min(state.asynchronousRows, number)
      } else {
        state.rows = min(state.rows, number)
      }
    }
    return true
  }
}
