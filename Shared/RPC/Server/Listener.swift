import CSystem
import EventLoop
import Glibc

/// Accepts connections on one loop and hands the descriptors on.
///
/// Sendable: `socket` and `accepted` never change; the rest is touched on `loop` only.
final class Listener: FileEventHandler, @unchecked Sendable {
  private let socket: ListeningSocket
  private let loop: EventLoop
  private let accepted: @Sendable (Int32) -> Void
  private var isListening = false
  private var pause: Pause?

  /// Connections taken per readiness event, so that a flood of them does not stop the loop's other work.
  private static let batch = 64
  /// How long accepting rests when the process is out of descriptors: the socket stays readable, and asking again at
  /// once would spin.
  private static let pauseNanoseconds: UInt64 = 100_000_000

  init(socket: ListeningSocket, loop: EventLoop, accepted: @escaping @Sendable (Int32) -> Void) {
    self.socket = socket
    self.loop = loop
    self.accepted = accepted
  }

  func start() {
    isListening = true
    loop.register(socket.descriptor, self, for: .readable)
  }

  func stop() async {
    await loop.perform { [self] in
      guard isListening else { return }
      isListening = false
      if let pause { loop.cancel(pause) }
      if pause == nil { loop.deregister(socket.descriptor) }
      socket.close()
    }
  }

  func handle(_ events: FileEvents) {
    for _ in 0..<Listener.batch {
      let descriptor = csystem_accept(socket.descriptor)
      if descriptor >= 0 {
        socket.configure(descriptor)
        accepted(descriptor)
      } else if errno == EAGAIN {
        return
      } else if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
        loop.deregister(socket.descriptor)
        let pause = Pause(self)
        self.pause = pause
        return loop.schedule(pause, at: loop.now &+ Listener.pauseNanoseconds)
      }
      // Anything else concerns the one connection, which is gone already.
    }
  }

  fileprivate func resume() {
    pause = nil
    if isListening { loop.register(socket.descriptor, self, for: .readable) }
  }
}

private final class Pause: LoopTimer {
  private let listener: Listener
  init(_ listener: Listener) { self.listener = listener }
  override func fire() { listener.resume() }
}
