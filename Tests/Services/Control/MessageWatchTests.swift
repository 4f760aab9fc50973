import Messages
import Testing

@testable import Control

@Suite("Following messages")
struct MessageWatchTests {
  private typealias Message = Omsconnector.V1.JournalMessage

  @Test("a message that waits is shown when it comes and when it has ended, another one once")
  func twice() {
    var watch = MessageWatch(.init())
    let shown = watch.came([Message(id: 1, status: .pending), Message(id: 2, status: .success)])
    #expect(shown.map(\.id) == [1, 2] && watch.waiting == [1])
    let stillWaits = watch.lookedAgain(1, Message(id: 1, status: .pending))
    #expect(!stillWaits && watch.waiting == [1])
    let hasEnded = watch.lookedAgain(1, Message(id: 1, status: .success))
    #expect(hasEnded && watch.waiting.isEmpty)
  }

  @Test("with a status, a message is shown when it comes to it")
  func status() {
    var watch = MessageWatch(.init(statuses: [.error]))
    let shown = watch.came([1, 2, 3].map { Message(id: $0, status: .pending) })
    let failed = watch.lookedAgain(1, Message(id: 1, status: .error))
    let succeeded = watch.lookedAgain(2, Message(id: 2, status: .success))
    let deleted = watch.lookedAgain(3, nil)
    #expect(shown.isEmpty && failed && !succeeded && !deleted)
    #expect(watch.waiting.isEmpty)
  }

  @Test("of many that wait, the last ones are followed")
  func limit() {
    var watch = MessageWatch(.init())
    for n in 1...250 { _ = watch.came([Message(id: Int64(n), status: .pending)]) }
    #expect(watch.waiting == Array(151...250))
  }
}
