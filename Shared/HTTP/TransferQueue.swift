import CCurl
import EventLoop

/// How tasks reach the client's thread.
final class TransferQueue: Sendable {
  /// curl's handle for all transfers. Other threads only pass it to curl_multi_wakeup, which is made for that, and only
  /// under the lock and before `isClosed`, so never after the thread has freed it.
  private struct Multi: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }

  struct Work: ~Copyable {
    var submitted: [Transfer] = []
    var cancelled: [Transfer] = []
    var isClosed = false
  }

  private struct State: ~Copyable {
    var work = Work()
    /// Submitted and not finished.
    var count = 0
  }

  private let state = Lock(State())
  private let multi: Multi
  private let maxCount: Int

  init(options: HTTPClientOptions) {
    // The first call initialises libcurl for the process and is thread-safe (libcurl 7.84 and later).
    curl_global_init(Int(CURL_GLOBAL_ALL))
    guard let pointer = curl_multi_init() else { fatalError("libcurl: out of memory") }
    multi = Multi(pointer: pointer)
    maxCount = options.maxConcurrentRequests + options.maxWaitingRequests
  }

  /// - Returns: false when there is no room.
  func submit(_ transfer: Transfer) -> Bool {
    state.withLock { state in
      guard state.count < maxCount else { return false }
      state.count += 1
      state.work.submitted.append(transfer)
      curl_multi_wakeup(multi.pointer)
      return true
    }
  }

  func cancel(_ transfer: Transfer) {
    state.withLock { state in
      state.work.cancelled.append(transfer)
      curl_multi_wakeup(multi.pointer)
    }
  }

  func close() {
    state.withLock { state in
      state.work.isClosed = true
      curl_multi_wakeup(multi.pointer)
    }
  }

  // MARK: For the client's thread

  var handle: UnsafeMutableRawPointer { multi.pointer }

  func takeWork() -> Work {
    state.withLock { state in
      var work = Work()
      work.isClosed = state.work.isClosed
      swap(&work, &state.work)
      return work
    }
  }

  func finished() { state.withLock { $0.count -= 1 } }
}
