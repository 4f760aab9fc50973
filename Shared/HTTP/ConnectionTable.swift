/// The open connections of a server and how long each has been doing what it does; decides which ones to give up.
///
/// It has no clock and closes nothing: callers pass the time and shut down the sockets that they are told.
struct ConnectionTable {
  typealias Instant = ContinuousClock.Instant

  enum Phase {
    /// No request has been seen since the connection was opened or the last response was sent.
    case waiting
    /// The header fields are there, the body is arriving.
    case receiving
    case handling
    case responding
    /// Told to close; libmicrohttpd has not noticed yet.
    case closing
  }

  private struct Entry {
    let socket: Int32
    var phase: Phase
    var since: Instant
  }

  private let maxConnections: Int
  private let transferTimeout: Duration
  private var entries: [UInt: Entry] = [:]

  init(maxConnections: Int, transferTimeout: Duration) {
    self.maxConnections = maxConnections
    self.transferTimeout = transferTimeout
  }

  var isEmpty: Bool { entries.isEmpty }

  /// - Returns: the socket to shut down to make room, if there are too many connections and one of them is not at work.
  mutating func opened(_ id: UInt, socket: Int32, now: Instant) -> Int32? {
    entries[id] = Entry(socket: socket, phase: .waiting, since: now)
    guard entries.values.lazy.filter({ $0.phase != .closing }).count > maxConnections else { return nil }
    let idle = entries.lazy.filter { $0.key != id && $0.value.phase == .waiting }
    guard let oldest = idle.min(by: { $0.value.since < $1.value.since }) else { return nil }
    return close(oldest.key, now)
  }

  mutating func moved(_ id: UInt, to phase: Phase, now: Instant) {
    guard let entry = entries[id], entry.phase != .closing else { return }
    entries[id] = Entry(socket: entry.socket, phase: phase, since: now)
  }

  mutating func closed(_ id: UInt) { entries[id] = nil }

  /// - Returns: the sockets to shut down because their peer was given time enough.
  mutating func overdue(now: Instant) -> [Int32] {
    let late = entries.filter { _, entry in
      switch entry.phase {
      case .waiting, .receiving, .responding: now - entry.since >= transferTimeout
      case .handling, .closing: false
      }
    }
    return late.keys.map { close($0, now) }
  }

  /// - Returns: the sockets of all connections whose handler is not at work.
  mutating func abandonTransfers(now: Instant) -> [Int32] {
    let transfers = entries.filter { $0.value.phase != .handling && $0.value.phase != .closing }
    return transfers.keys.map { close($0, now) }
  }

  private mutating func close(_ id: UInt, _ now: Instant) -> Int32 {
    let socket = entries[id]!.socket
    entries[id] = Entry(socket: socket, phase: .closing, since: now)
    return socket
  }
}
