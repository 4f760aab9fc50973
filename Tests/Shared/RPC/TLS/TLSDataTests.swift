import CTLS
import Glibc
import Testing

@testable import RPC

@Suite("TLS data")
struct TLSDataTests {
  static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

  private static func established(_ version: Int32 = TLS1_3_VERSION) throws -> SessionPair {
    let pair = SessionPair(
      server: try TestCertificates.server().current.only(version), client: try TestCertificates.client().current)
    let result = pair.handshake()
    try #require(result.client == .done && result.server == .done)
    return pair
  }

  @Test("a mebibyte arrives whole, both ways at once", arguments: versions)
  func large(version: Int32) throws {
    let pair = try Self.established(version)
    let message = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    var ends = [End(pair.client, message), End(pair.server, message)]
    for _ in 0..<100_000 where ends.contains(where: { $0.received.count < message.count }) {
      for index in ends.indices { try ends[index].step() }
    }
    for end in ends { #expect(end.received == message) }
  }

  private struct End {
    let session: TLSSession
    var unsent: ArraySlice<UInt8>
    var received: [UInt8] = []

    init(_ session: TLSSession, _ message: [UInt8]) {
      self.session = session
      unsent = message[...]
    }

    mutating func step() throws {
      // What a full socket did not take begins again at another address: the slice is copied.
      if !unsent.isEmpty, case .bytes(let count) = session.send(Array(unsent)) { unsent = unsent.dropFirst(count) }
      received += session.receive().bytes
    }
  }

  /// A buffer of the least size takes less than what is there; what it leaves has to be in the socket, where epoll sees it.
  @Test("nothing stays hidden behind a silent socket")
  func nothingHidden() throws {
    let pair = try Self.established()
    for _ in 0..<6 { #expect(pair.client.send(Array(repeating: 7, count: 16_384)) == .bytes(16_384)) }
    var total = 0
    var state = pollfd(fd: pair.serverSocket, events: Int16(POLLIN), revents: 0)
    while poll(&state, 1, 0) == 1 { total += pair.server.receive(limit: TLSSession.smallestBuffer).bytes.count }
    #expect(total == 6 * 16_384)
    #expect(pair.server.receive().outcome == .wantsRead)
  }

  @Test("several records that are there are read at once")
  func gathers() throws {
    let pair = try Self.established()
    for byte in UInt8(0)..<10 { #expect(pair.client.send([byte]) == .bytes(1)) }
    #expect(pair.server.receive().bytes == Array(0..<10))
  }

  @Test("half a record gives nothing, and says so once the socket is empty")
  func halfARecord() throws {
    let pair = try Self.established()
    var record = [UInt8](repeating: 0, count: 5000)
    #expect(pair.client.send(Array(repeating: 1, count: 3000)) == .bytes(3000))
    let count = recv(pair.serverSocket, &record, record.count, 0)
    send(pair.clientSocket, record, 100, 0)
    #expect(pair.server.receive().outcome == .wantsRead)
    record.withUnsafeBytes { _ = send(pair.clientSocket, $0.baseAddress! + 100, count - 100, 0) }
    #expect(pair.server.receive().bytes.count == 3000)
  }

  @Test("a peer that says goodbye is told from one that is cut off", arguments: versions)
  func ends(version: Int32) throws {
    let polite = try Self.established(version)
    #expect(polite.client.send([1]) == .bytes(1))
    polite.client.shutdown()
    #expect(polite.server.receive().bytes == [1])
    #expect(polite.server.hasEnded)
    #expect(polite.server.receive().outcome == .closed)

    let cutOff = try Self.established(version)
    #expect(cutOff.client.send([1]) == .bytes(1))
    shutdown(cutOff.clientSocket, Int32(SHUT_WR))
    #expect(cutOff.server.receive().bytes == [1])
    guard case .failed(let reason) = cutOff.server.receive().outcome else {
      Issue.record("a truncated connection passes for one that has ended")
      return
    }
    #expect(reason.contains("without saying so"))
  }

  @Test("what was changed on the way is refused")
  func tampered() throws {
    let pair = try Self.established()
    var record = [UInt8](repeating: 0, count: 200)
    #expect(pair.client.send(Array(repeating: 1, count: 100)) == .bytes(100))
    let count = recv(pair.serverSocket, &record, record.count, 0)
    record[50] ^= 1
    send(pair.clientSocket, record, count, 0)
    guard case .failed(let reason) = pair.server.receive().outcome else {
      Issue.record("a tampered record is accepted")
      return
    }
    #expect(reason.contains("bad record mac"))
  }

  @Test("writing to a peer that is gone fails, and raises no signal")
  func goneAway() throws {
    let pair = try Self.established()
    close(pair.clientSocket)
    defer { dup2(pair.serverSocket, pair.clientSocket) }  // The pair closes both.
    guard case .failed(let reason) = pair.server.send([1]) else {
      Issue.record("a write without a reader succeeds")
      return
    }
    #expect(reason.contains("Broken pipe") || reason.contains("reset"))
  }

  @Test("key updates are answered")
  func keyUpdates() throws {
    let pair = try Self.established()
    for _ in 0..<10 {
      SSL_key_update(pair.client.session, SSL_KEY_UPDATE_REQUESTED)
      #expect(SSL_do_handshake(pair.client.session) == 1)
    }
    #expect(pair.client.send([9]) == .bytes(1))
    #expect(pair.server.receive().bytes == [9])
    #expect(pair.server.send([8]) == .bytes(1))
    #expect(pair.client.receive().bytes == [8])
  }

  @Test("a flood of key updates does not keep one read from returning")
  func keyUpdateFlood() throws {
    let pair = try Self.established()
    var flood: [UInt8] = []
    var record = [UInt8](repeating: 0, count: 1000)
    for _ in 0..<4000 {
      SSL_key_update(pair.client.session, SSL_KEY_UPDATE_NOT_REQUESTED)
      #expect(SSL_do_handshake(pair.client.session) == 1)
      flood += record[..<recv(pair.serverSocket, &record, record.count, 0)]
    }
    #expect(send(pair.clientSocket, flood, flood.count, 0) == flood.count)
    #expect(pair.client.send([9]) == .bytes(1))
    #expect(pair.server.receive().outcome == .wantsRead)
    var received: [UInt8] = []
    for _ in 0..<100 where received.isEmpty { received += pair.server.receive().bytes }
    #expect(received == [9])
  }

  @Test("no session is offered for resumption", arguments: versions)
  func noTickets(version: Int32) throws {
    let pair = try Self.established(version)
    #expect(pair.server.send([1]) == .bytes(1))
    #expect(pair.client.receive().bytes == [1])
    #expect(SSL_SESSION_has_ticket(SSL_get_session(pair.client.session)) == 0)
  }
}
