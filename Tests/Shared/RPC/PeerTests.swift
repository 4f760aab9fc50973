import EventLoop
import Glibc
import Testing

@testable import RPC

@Suite("Peers of Unix sockets", .timeLimit(.minutes(1)))
struct PeerTests {
  /// Serving as user 1000 of group 1000.
  static let peers: [(credentials: PeerCredentials, mayConnect: Bool)] = [
    (PeerCredentials(uid: 1000, gid: 1000), true), (PeerCredentials(uid: 1000, gid: 5), true),
    (PeerCredentials(uid: 5, gid: 1000), true), (PeerCredentials(uid: 0, gid: 0), true),
    (PeerCredentials(uid: 5, gid: 5, groups: [7, 1000]), true), (PeerCredentials(uid: 5, gid: 5), false),
    (PeerCredentials(uid: 5, gid: 0), false), (PeerCredentials(uid: 5, gid: 5, groups: [0, 7]), false),
    // What a process in another user namespace looks like.
    (PeerCredentials(uid: 65_534, gid: 65_534), false),
  ]

  @Test("root, the same user and members of the group may connect, others may not", arguments: peers)
  func credentials(peer: (credentials: PeerCredentials, mayConnect: Bool)) {
    #expect(peer.credentials.mayConnect(to: 1000, group: 1000) == peer.mayConnect)
  }

  @Test("the system says who is at the other end")
  func fromTheSystem() throws {
    let (one, other) = SessionPair.sockets()
    defer { for socket in [one, other] { close(socket) } }
    let credentials = try #require(PeerCredentials(of: one))
    #expect(credentials.uid == geteuid() && credentials.gid == getegid() && credentials.pid == getpid())
    #expect(credentials.mayConnect())
    var pipes: [Int32] = [-1, -1]
    #expect(pipe(&pipes) == 0)
    defer { for pipe in pipes { close(pipe) } }
    #expect(PeerCredentials(of: pipes[0]) == nil)
  }

  @Test("a call knows the process that makes it")
  func ofACall() async throws {
    let test = try TestServer.start(.unix) { router in
      router.unary(TestMethods.unary) { _, context in
        Response(aggregateId: "\(context.peer)", sku: "\(context.peer.isTrusted)")
      }
    }
    let answer = try await test.channel.unary(TestMethods.unary, Request())
    #expect(answer.aggregateId == "unix:uid=\(geteuid()),gid=\(getegid()),pid=\(getpid())")
    #expect(answer.sku == "true")
    await test.stop()
  }

  /// Whatever the umask is: one that is open to all would let others connect, one that is narrow would keep the group out.
  @Test("the socket's file is for user and group", arguments: [0o000, 0o022, 0o077] as [mode_t])
  func mode(mask: mode_t) throws {
    let path = temporaryDirectory() + "/s"
    let before = umask(mask)
    defer { umask(before) }
    let socket = try ListeningSocket(.unix(path: path))
    defer { socket.close() }
    var information = stat()
    #expect(stat(path, &information) == 0)
    #expect(information.st_mode & 0o777 == 0o660)
  }
}
