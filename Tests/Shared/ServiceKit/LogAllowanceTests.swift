import EventLoop
import Testing

@testable import ServiceKit

@Suite("Log allowance")
struct LogAllowanceTests {
  @Test("some lines at once, then one a second; what is left out is counted")
  func allowance() {
    let clock = Lock<UInt64>(5)
    let allowance = LogAllowance(burst: 3) { clock.withLock { $0 } }
    #expect((0..<5).map { _ in allowance.take() } == [0, 0, 0, nil, nil])
    clock.withLock { $0 += 999_999_999 }
    #expect(allowance.take() == nil)
    clock.withLock { $0 += 1 }
    #expect(allowance.take() == 3)
    #expect(allowance.take() == nil)
    // A second that has begun counts on.
    clock.withLock { $0 += 1_500_000_000 }
    #expect(allowance.take() == 1)
    clock.withLock { $0 += 500_000_000 }
    #expect(allowance.take() == 0)
    clock.withLock { $0 += 3_600_000_000_000 }
    #expect((0..<4).map { _ in allowance.take() } == [0, 0, 0, nil])
  }
}
