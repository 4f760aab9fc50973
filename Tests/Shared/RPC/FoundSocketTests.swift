import Glibc
import Testing

@testable import RPC

@Suite struct FoundSocketTests {
  @Test("a socket that is made again in its old place is another one, whatever number its file gets")
  func madeAgain() throws {
    let directory = temporaryDirectory()
    let path = directory + "/1.sock"
    var socket = try ListeningSocket(.unix(path: path))
    for round in 1...5 {
      let before = FoundSocket.all(in: directory)
      #expect(before.map(\.path) == [path])
      socket.close()
      // The file's times have the kernel's coarse clock, which ticks every 4 ms at the slowest.
      var now = timespec()
      repeat {
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
      } while now.tv_sec == before[0].changedSeconds
        && now.tv_nsec == before[0].changedNanoseconds
      socket = try ListeningSocket(.unix(path: path))
      #expect(FoundSocket.all(in: directory) != before, "round \(round)")
    }
    socket.close()
    #expect(FoundSocket.all(in: directory) == [])
  }

  @Test("files that are no sockets, and directories that are not there, hold nothing")
  func nothing() {
    let directory = temporaryDirectory()
    close(open(directory + "/file.sock", O_CREAT | O_WRONLY, 0o600))
    mkdir(directory + "/directory.sock", 0o700)
    #expect(FoundSocket.all(in: directory) == [])
    #expect(FoundSocket.all(in: directory + "/none") == [])
  }
}
