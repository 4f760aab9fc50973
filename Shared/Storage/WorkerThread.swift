import Glibc

/// A thread for work that blocks.
enum WorkerThread {
  /// SQLite's deepest recursion needs a few tens of KiB.
  static let stackBytes = 512 * 1024

  /// Starts a detached thread. Signals stay with the threads that the program has for them.
  ///
  /// - Parameter name: for errors.
  static func start(name: String, _ body: sending @escaping () -> Void) throws(StorageError) {
    let start = Unmanaged.passRetained(Start(body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.body()
        return nil
      }, start.toOpaque())
    if code != 0 {
      start.release()
      throw StorageError(
        .other, "thread \(name): \(String(cString: strerror(code)))", remedy: "raise the limit of threads (ulimit -u)")
    }
  }

  private final class Start {
    let body: () -> Void

    init(body: @escaping () -> Void) { self.body = body }
  }
}
