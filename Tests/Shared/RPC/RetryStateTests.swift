import Testing

@testable import RPC

/// The rules of A6, on invented time.
@Suite struct RetryStateTests {
  private static let ms: UInt64 = 1_000_000

  /// Without jitter, so that pauses are numbers.
  private static func policy(_ change: (inout RetryPolicy) -> Void = { _ in }) -> RetryPolicy {
    var policy = RetryPolicy()
    policy.attemptLimit = 5
    policy.initialBackOff = .milliseconds(10)
    policy.longestBackOff = .milliseconds(50)
    policy.multiplier = 2
    policy.jitter = 0
    change(&policy)
    return policy
  }

  /// The pauses in milliseconds, until the call is given up.
  private static func pauses(
    _ policy: RetryPolicy, isIdempotent: Bool = true, deadline: UInt64? = nil, budget: RetryBudget? = nil,
    _ failures: [RetryState.Failure]
  ) -> [UInt64] {
    let budget = budget ?? RetryBudget(policy.budget)
    var random = SeededGenerator(seed: 1)
    var state = RetryState(policy, isIdempotent: isIdempotent, deadline: deadline)
    var now: UInt64 = 0
    var pauses: [UInt64] = []
    for failure in failures {
      guard case .retry(let pause) = state.next(after: failure, now: now, budget: budget, random: &random) else {
        break
      }
      pauses.append(pause / ms)
      now += pause
    }
    return pauses
  }

  private static func always(_ failure: RetryState.Failure) -> [RetryState.Failure] {
    Array(repeating: failure, count: 100)
  }

  private static let unavailable = RetryState.Failure(code: .unavailable)
  private static let unseen = RetryState.Failure(code: .unavailable, isUnseen: true)

  @Test("pauses grow up to the longest, and attempts end at their limit")
  func backOff() {
    #expect(Self.pauses(Self.policy(), Self.always(Self.unavailable)) == [10, 20, 40, 50])
    #expect(Self.pauses(Self.policy { $0.attemptLimit = 3 }, Self.always(Self.unavailable)) == [10, 20])
    #expect(Self.pauses(.never, Self.always(Self.unavailable)) == [])
  }

  @Test(
    "a multiplier below 1 does not shorten pauses, and a huge one does not overflow",
    arguments: [(0.0, 10), (1e300, 50)])
  func oddMultipliers(multiplier: Double, second: UInt64) {
    let policy = Self.policy { $0.multiplier = multiplier }
    #expect(Self.pauses(policy, Self.always(Self.unavailable)) == [10, second, second, second])
  }

  @Test("jitter stays within its bounds and uses them")
  func jitter() {
    var random = SeededGenerator(seed: 7)
    let budget = RetryBudget(RetryBudgetLimits())
    let policy = Self.policy { $0.jitter = 0.2 }
    let pauses = (0..<1000).map { _ in
      var state = RetryState(policy, isIdempotent: true, deadline: nil)
      budget.callSucceeded()
      guard
        case .retry(let pause) = state.next(
          after: Self.unavailable, now: 0, budget: RetryBudget(policy.budget), random: &random)
      else { return UInt64(0) }
      return pause
    }
    #expect(pauses.allSatisfy { (8 * Self.ms...12 * Self.ms).contains($0) })
    #expect(pauses.contains { $0 < 83 * Self.ms / 10 } && pauses.contains { $0 > 117 * Self.ms / 10 })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let failure: RetryState.Failure
    let idempotent: [UInt64]
    let other: [UInt64]

    init(_ name: String, _ failure: RetryState.Failure, idempotent: [UInt64], other: [UInt64] = []) {
      (testDescription, self.failure, self.idempotent, self.other) = (name, failure, idempotent, other)
    }
  }

  static let cases: [Case] = [
    Case("UNAVAILABLE", unavailable, idempotent: [10, 20, 40, 50]),
    Case("INTERNAL", .init(code: .internalError), idempotent: []),
    Case("DEADLINE_EXCEEDED", .init(code: .deadlineExceeded), idempotent: []),
    Case("CANCELLED", .init(code: .cancelled), idempotent: []),
    Case("RESOURCE_EXHAUSTED without a time", .init(code: .resourceExhausted), idempotent: []),
    Case(
      "RESOURCE_EXHAUSTED with a time", .init(code: .resourceExhausted, pushback: .after(nanoseconds: 7 * ms)),
      idempotent: [7, 7, 7, 7]),
    Case("RESOURCE_EXHAUSTED, never", .init(code: .resourceExhausted, pushback: .never), idempotent: []),
    Case("UNAVAILABLE, never", .init(code: .unavailable, pushback: .never), idempotent: []),
    Case(
      "UNAVAILABLE, at once", .init(code: .unavailable, pushback: .after(nanoseconds: 0)), idempotent: [0, 0, 0, 0]),
    Case(
      "UNAVAILABLE, in a minute", .init(code: .unavailable, pushback: .after(nanoseconds: 60_000 * ms)),
      idempotent: [60_000, 60_000, 60_000, 60_000]),
    Case(
      "UNAVAILABLE, in more than a minute", .init(code: .unavailable, pushback: .after(nanoseconds: 60_001 * ms)),
      idempotent: []),
    Case("a response that began", .init(code: .unavailable, responseBegan: true), idempotent: []),
    Case("unseen", unseen, idempotent: [0, 10, 20, 40], other: [0, 10, 20, 40]),
    Case(
      "unseen, with a response all the same", .init(code: .unavailable, isUnseen: true, responseBegan: true),
      idempotent: []),
  ]

  @Test("what is made again, and when", arguments: cases)
  func rules(_ example: Case) {
    #expect(Self.pauses(Self.policy(), Self.always(example.failure)) == example.idempotent)
    #expect(Self.pauses(Self.policy(), isIdempotent: false, Self.always(example.failure)) == example.other)
  }

  @Test("a server's time begins the pauses anew")
  func pushbackResets() {
    let told = RetryState.Failure(code: .unavailable, pushback: .after(nanoseconds: 3 * Self.ms))
    #expect(
      Self.pauses(Self.policy(), [Self.unavailable, Self.unavailable, told, Self.unavailable]) == [10, 20, 3, 10])
  }

  @Test("attempts that no server has seen do not count against those that one has")
  func unseenAndSeen() {
    var state = RetryState(Self.policy { $0.attemptLimit = 2 }, isIdempotent: true, deadline: nil)
    let budget = RetryBudget(RetryBudgetLimits())
    var random = SeededGenerator(seed: 1)
    func next(_ failure: RetryState.Failure) -> RetryState.Decision {
      state.next(after: failure, now: 0, budget: budget, random: &random)
    }
    #expect(next(Self.unseen) == .retry(afterNanoseconds: 0))
    #expect(state.previousAttempts == 0)
    #expect(next(Self.unavailable) == .retry(afterNanoseconds: 10 * Self.ms))
    #expect(state.previousAttempts == 1)
    #expect(next(Self.unseen) == .retry(afterNanoseconds: 20 * Self.ms))
    #expect(state.previousAttempts == 1)
    #expect(next(Self.unavailable) == .giveUp)
  }

  @Test(
    "no attempt begins at the deadline or after", arguments: [(9, 0), (10, 0), (11, 1), (30, 1), (31, 2), (10_000, 4)])
  func deadline(milliseconds: UInt64, retries: Int) {
    let pauses = Self.pauses(Self.policy(), deadline: milliseconds * Self.ms, Self.always(Self.unavailable))
    #expect(pauses.count == retries)
  }

  @Test("a deadline that has passed ends even an attempt without a pause")
  func deadlinePassed() {
    var state = RetryState(Self.policy(), isIdempotent: true, deadline: 5)
    var random = SeededGenerator(seed: 1)
    let decision = state.next(after: Self.unseen, now: 6, budget: RetryBudget(RetryBudgetLimits()), random: &random)
    #expect(decision == .giveUp)
  }

  @Test("failures empty the budget, which then allows no retry until successes have filled half of it")
  func budget() {
    var limits = RetryBudgetLimits()
    limits.tokens = 10
    limits.tokensPerSuccess = 0.5
    let budget = RetryBudget(limits)
    let policy = Self.policy { $0.attemptLimit = 100 }
    // Each failure takes a token: the fifth leaves half, which is not more than half.
    #expect(Self.pauses(policy, budget: budget, Self.always(Self.unavailable)).count == 4)
    #expect(!budget.allowsRetry)
    budget.callSucceeded()
    #expect(budget.allowsRetry)
    for _ in 0..<100 { budget.callFailed() }
    for _ in 0..<10 { budget.callSucceeded() }
    #expect(!budget.allowsRetry, "empty is empty, and no less")
    budget.callSucceeded()
    #expect(budget.allowsRetry)
    for _ in 0..<1000 { budget.callSucceeded() }
    for _ in 0..<5 { budget.callFailed() }
    #expect(!budget.allowsRetry, "full is full, and no more")
  }

  @Test("calls that can't be made again and those that nobody saw cost nothing of the budget")
  func freeFailures() {
    var limits = RetryBudgetLimits()
    limits.tokens = 2
    let budget = RetryBudget(limits)
    for failure in [Self.unseen, .init(code: .internalError), .init(code: .resourceExhausted)] {
      _ = Self.pauses(Self.policy(), budget: budget, Self.always(failure))
      _ = Self.pauses(Self.policy(), isIdempotent: false, budget: budget, Self.always(Self.unavailable))
    }
    #expect(budget.allowsRetry)
  }

  @Test(
    "grpc-retry-pushback-ms is a number of milliseconds; whatever else it is means never",
    arguments: [
      (nil, .none), ("0", .after(nanoseconds: 0)), ("250", .after(nanoseconds: 250_000_000)),
      ("2147483647", .after(nanoseconds: 2_147_483_647_000_000)), ("2147483648", .never), ("-1", .never), ("", .never),
      ("+5", .never), ("5s", .never), ("1.5", .never), (" 5", .never),
    ] as [(String?, Pushback)])
  func pushback(value: String?, expected: Pushback) {
    #expect(Pushback(milliseconds: value) == expected)
  }
}
