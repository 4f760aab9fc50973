import CSystem
import EventLoop
import Glibc

/// Turns SIGTERM, SIGINT and SIGHUP, and wake-ups from other threads, into events that the main thread waits for.
///
/// Made before any other thread is, because threads inherit the mask that keeps the signals for this descriptor.
final class SignalWatcher: Sendable {
  enum Event: Equatable {
    /// Somebody asked the process to stop: SIGTERM or SIGINT.
    case signal(Int32)
    /// Somebody asked the process to read its files again: SIGHUP.
    case reload
    /// ``wake()`` was called.
    case woken
    case timedOut
  }

  private let signals: Int32
  private let wakeUps: Int32

  init() {
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, SIGTERM)
    sigaddset(&mask, SIGINT)
    sigaddset(&mask, SIGHUP)
    pthread_sigmask(SIG_BLOCK, &mask, nil)
    // A peer that goes away is an error of the write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    signals = signalfd(-1, &mask, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    wakeUps = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    precondition(signals >= 0 && wakeUps >= 0, "no descriptors for signals: \(SystemError("signalfd").reason)")
  }

  deinit {
    close(signals)
    close(wakeUps)
  }

  /// Makes the next or current ``wait(until:)`` return, from any thread.
  func wake() {
    var one: UInt64 = 1
    _ = write(wakeUps, &one, MemoryLayout.size(ofValue: one))
  }

  /// - Parameter deadline: nanoseconds of the monotonic clock; nil waits for ever.
  func wait(until deadline: UInt64? = nil) -> Event {
    while true {
      if let event = next() { return event }
      var timeout: Int32 = -1
      if let deadline {
        let now = EventLoop.monotonicNanoseconds()
        guard now < deadline else { return .timedOut }
        timeout = Int32(clamping: (deadline - now) / 1_000_000 + 1)
      }
      var descriptors = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0), pollfd(fd: wakeUps, events: Int16(POLLIN), revents: 0),
      ]
      poll(&descriptors, 2, timeout)
    }
  }

  private func next() -> Event? {
    var counter: UInt64 = 0
    if read(wakeUps, &counter, MemoryLayout.size(ofValue: counter)) > 0 { return .woken }
    var info = signalfd_siginfo()
    guard read(signals, &info, MemoryLayout.size(ofValue: info)) > 0 else { return nil }
    return info.ssi_signo == UInt32(SIGHUP) ? .reload : .signal(Int32(info.ssi_signo))
  }
}
