import CCurl
import EventLoop

/// The client's thread: hands requests to libcurl and takes the responses. Everything here lives on that thread.
struct TransferLoop: ~Copyable {
  private let queue: TransferQueue
  private let options: HTTPClientOptions
  private var waiting: [Transfer] = []
  private var running: [ObjectIdentifier: EasyTransfer] = [:]

  private init(_ queue: TransferQueue, _ options: HTTPClientOptions) {
    self.queue = queue
    self.options = options
    ccurl_multi_set_long(queue.handle, CURLMOPT_MAXCONNECTS, options.maxConcurrentRequests)
  }

  /// Starts the thread. It ends when the queue is closed.
  static func start(_ queue: TransferQueue, _ options: HTTPClientOptions) {
    do throws(SystemError) {
      try spawnThread(named: "http-client") {
        var loop = TransferLoop(queue, options)
        loop.run()
      }
    } catch {
      preconditionFailure("cannot start the HTTP client's thread: \(error); raise the limit of threads (ulimit -u)")
    }
  }

  private mutating func run() {
    while true {
      let work = queue.takeWork()
      if work.isClosed { break }
      waiting += work.submitted
      for transfer in work.cancelled { cancel(transfer) }
      startWaiting()
      var active: Int32 = 0
      curl_multi_perform(queue.handle, &active)
      if reap() { continue }
      curl_multi_poll(queue.handle, nil, 0, 60_000, nil)
    }
    for easy in running.values { curl_multi_remove_handle(queue.handle, easy.handle) }
    running = [:]
    curl_multi_cleanup(queue.handle)
  }

  private mutating func startWaiting() {
    while running.count < options.maxConcurrentRequests, !waiting.isEmpty {
      let transfer = waiting.removeFirst()
      if transfer.isFinished {
        queue.finished()
        continue
      }
      let easy = EasyTransfer(transfer)
      if let failure = easy.prepare() {
        transfer.finish(.failure(failure))
        queue.finished()
        continue
      }
      running[ObjectIdentifier(transfer)] = easy
      curl_multi_add_handle(queue.handle, easy.handle)
    }
  }

  private mutating func cancel(_ transfer: Transfer) {
    if let easy = running.removeValue(forKey: ObjectIdentifier(transfer)) {
      curl_multi_remove_handle(queue.handle, easy.handle)
      queue.finished()
    } else if let index = waiting.firstIndex(where: { $0 === transfer }) {
      waiting.remove(at: index)
      queue.finished()
    }
  }

  /// Answers what is complete.
  ///
  /// - Returns: whether there was anything.
  private mutating func reap() -> Bool {
    var remaining: Int32 = 0
    var hasFinished = false
    while let message = curl_multi_info_read(queue.handle, &remaining) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let pointer = ccurl_private(handle)
      else { continue }
      let easy = Unmanaged<EasyTransfer>.fromOpaque(pointer).takeUnretainedValue()
      let code = ccurl_message_result(message)
      curl_multi_remove_handle(queue.handle, handle)
      running[ObjectIdentifier(easy.transfer)] = nil
      easy.transfer.finish(easy.result(code))
      queue.finished()
      hasFinished = true
    }
    return hasFinished
  }
}
