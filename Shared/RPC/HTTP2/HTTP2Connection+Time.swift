import EventLoop

/// A connection's only timer: for whatever is due next.
final class ConnectionTimer: LoopTimer {
  private unowned let connection: HTTP2Connection
  init(_ connection: HTTP2Connection) { self.connection = connection }
  override func fire() { connection.timerFired() }
}

// Peers that have gone without a word, or never said one.
extension HTTP2Connection {
  /// Computes anew when something is due.
  final func startTimer() {
    guard !isClosed else { return }
    let timer = timer ?? ConnectionTimer(self)
    self.timer = timer
    var due = nextDue
    if let lingersUntil {
      due = min(due, lingersUntil)
    } else if !hasSettings {
      due = min(due, startedAt &+ handshakeTimeout.nanoseconds)
    } else if let pingSentAt {
      due = min(due, pingSentAt &+ keepalive.timeout.nanoseconds)
    } else {
      due = min(due, lastReadAt &+ keepalive.time.nanoseconds)
    }
    loop.schedule(timer, at: due)
  }

  final func stopTimer() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  fileprivate final func timerFired() {
    guard !isClosed else { return }
    let now = EventLoop.monotonicNanoseconds()
    if let lingersUntil, now >= lingersUntil {
      return close(RPCError(.unavailable, "the peer broke HTTP/2"))
    }
    if !hasSettings, now >= startedAt &+ handshakeTimeout.nanoseconds {
      return close(RPCError(.unavailable, "the peer did not begin HTTP/2 within \(handshakeTimeout)"))
    }
    if nextDue <= now {
      isDue(now: now)
      guard !isClosed else { return }
    }
    if hasSettings, lingersUntil == nil { checkAlive(now) }
    startTimer()
  }

  private final func checkAlive(_ now: UInt64) {
    if let sentAt = pingSentAt {
      if lastReadAt > sentAt {
        pingSentAt = nil
      } else if now >= sentAt &+ keepalive.timeout.nanoseconds {
        let silence = (now &- lastReadAt) / 1_000_000_000
        close(RPCError(.unavailable, "the peer has been silent for \(silence) s and does not answer a PING"))
      }
    } else if now >= lastReadAt &+ keepalive.time.nanoseconds {
      if mayPing {
        pingSentAt = now
        sendPing()
      } else {
        lastReadAt = now
      }
    }
  }
}
