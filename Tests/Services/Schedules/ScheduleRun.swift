import Messages
import Storage
import TestSupport

@testable import ServiceKit

/// Runs a schedule and compares what it does with the rule.
///
/// Steps that run at the same time have to come out as if one ran after the other, namely in the order of their looks at the clock,
/// which are made under the lock that keeps writers of an aggregate apart.
struct ScheduleRun {
  /// What differs from the rule; the first of it, as the rest follows from that.
  private(set) var findings: [String] = []
  private(set) var stored: [String: StoredAggregate] = [:]

  private let schedule: Schedule
  private let fleet: Fleet
  private let runner: StepRunner
  private let flaw: Flaw?
  private var rules: [String: StockRule] = [:]
  /// Of deliveries that were answered.
  private var answers: [Identity: [UInt8]] = [:]
  private var seen: Set<Identity> = []

  /// What makes two deliveries the same one.
  private struct Identity: Hashable {
    let id: String
    let body: String
    /// One that has it.
    let message: StockMessage

    init(_ message: StockMessage) { (id, body, self.message) = (message.id, message.body(""), message) }

    static func == (a: Self, b: Self) -> Bool { a.id == b.id && a.body == b.body }

    func hash(into hasher: inout Hasher) { hasher.combine(id) }
  }

  init(_ schedule: Schedule, on fleet: Fleet, flaw: Flaw? = nil) {
    self.schedule = schedule
    self.fleet = fleet
    self.flaw = flaw
    runner = StepRunner(
      fleet: fleet, prefix: fleet.nextPrefix(), forgetsDeliveries: flaw == .forgetsDeliveries)
  }

  mutating func run() async throws {
    fleet.clock.begin()
    for round in schedule.rounds {
      settle(await attempts(round))
      if !findings.isEmpty { break }
    }
    try await compare()
  }

  private func attempts(_ round: [Step]) async -> [Attempt] {
    if round.count == 1 { return await runner.run(round[0]) }
    let runner = runner
    return await withTaskGroup(of: [Attempt].self) { group in
      for step in round { group.addTask { await runner.run(step) } }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }

  // MARK: Rounds

  private mutating func settle(_ attempts: [Attempt]) {
    var effects: [Attempt] = []
    var deliveries: [Identity: [Attempt]] = [:]
    for attempt in attempts {
      switch (attempt.step, attempt.ending) {
      case (_, .failed(let reason)): findings.append("\(attempt.step): \(reason)")
      case (.deliver(let message, _), _), (.die(let message, _), _):
        deliveries[Identity(message), default: []].append(attempt)
      case (.close, _), (.decide, _), (.reset, _): effects.append(attempt)
      case (.restart, _), (.cut, _), (.pass, _): break
      }
    }
    for (identity, attempts) in deliveries {
      if let effect = effect(of: identity, attempts) { effects.append(effect) }
    }
    for effect in effects.sorted(by: { ($0.times.last ?? 0) < ($1.times.last ?? 0) }) where findings.isEmpty {
      explain(effect)
    }
  }

  /// - Returns: the one attempt of a delivery that changed something, with its answer; nil for none.
  private mutating func effect(of identity: Identity, _ attempts: [Attempt]) -> Attempt? {
    seen.insert(identity)
    var answers: [[UInt8]] = []
    for attempt in attempts { if case .answered(let answer) = attempt.ending { answers.append(answer) } }
    guard let answer = answers.first else { return nil }
    let effective = attempts.filter { attempt in
      if case .answered = attempt.ending { return !attempt.times.isEmpty }
      return false
    }
    let known = self.answers[identity]
    self.answers[identity] = known ?? answer
    if !answers.allSatisfy({ $0 == known ?? answer }) {
      findings.append(
        "\(identity.id) is answered in different ways: \(answers.map { String(decoding: $0, as: UTF8.self) })")
    }
    if effective.count + (known == nil ? 0 : 1) > 1 { findings.append("\(identity.id) has its effect twice") }
    if known != nil { return nil }
    // Of one whose outcome was not told, the next attempt hears it.
    guard var effect = effective.first ?? attempts.last(where: { !$0.times.isEmpty }) else {
      findings.append("\(identity.id) is answered, but nobody has applied it")
      return nil
    }
    effect.ending = .answered(answer)
    return effect
  }

  /// Lets the rule do the same.
  private mutating func explain(_ effect: Attempt) {
    let now = effect.times.last ?? 0
    switch (effect.step, effect.ending) {
    case (.deliver(let message, _), .answered(let answer)), (.die(let message, _), .answered(let answer)):
      let expected = text(of: rule(message.aggregate) { $0.take(message, now: now) })
      let answer = String(decoding: answer, as: UTF8.self)
      if !answer.hasPrefix(expected) { differ(effect.step, answer, expected) }
    case (.close(let aggregate, _), .counted(let counts)):
      let expected = rule(aggregate) { $0.close(now: now) }
      if counts != expected { differ(effect.step, counts, expected) }
    case (.decide(let aggregate, let number, let apply, _), .counted(let counts)):
      let expected = rule(aggregate) { rule -> StockRule.Counts? in
        guard !rule.waiting.isEmpty else { return nil }
        let decided = rule.together(with: number % rule.waiting.count)
        return rule.decide(decided, apply: apply, times: decided.map { _ in now })
      }
      if counts != expected { differ(effect.step, counts, expected) }
    case (.decide(let aggregate, _, _, _), _):
      let waiting = rule(aggregate) { $0.waiting }
      if !waiting.isEmpty { differ(effect.step, "nothing waits", waiting) }
    case (.reset(let aggregate, let sku, _), _): rule(aggregate) { $0.resetTime(sku) }
    default: break
    }
  }

  @discardableResult
  private mutating func rule<Value>(_ aggregate: String, _ body: (inout StockRule) -> Value) -> Value {
    body(&rules[aggregate, default: StockRule(flaw: flaw)])
  }

  private func text(of reply: StockRule.Reply) -> String {
    switch reply {
    case .waits: return #"{"held_snapshot_id":"#
    case .counts(let counts):
      return #"{"applied":\#(counts.applied),"stale":\#(counts.stale),"clamped":\#(counts.clamped),"#
        + #""invalid":\#(counts.invalid),"zeroed":\#(counts.zeroed),"#
    }
  }

  private mutating func differ(_ step: Step, _ actual: Any?, _ expected: Any?) {
    findings.append(
      "\(step)\n    is answered \(actual.map { "\($0)" } ?? "nil")\n    by the rule \(expected.map { "\($0)" } ?? "nil")"
    )
  }

  // MARK: In the end

  private mutating func compare() async throws {
    let prefix = runner.prefix
    let aggregates = Array(rules.keys)
    let identities = seen.map { identity in
      (
        id: identity.id, isAnswered: answers[identity] != nil,
        digest: StoredDeliveries.identity(runner.request(identity.message))
      )
    }
    let (stored, wrong) = try await fleet[0].read { connection in
      var stored: [String: StoredAggregate] = [:]
      for aggregate in aggregates { stored[aggregate] = try StoredAggregate(prefix + aggregate, connection) }
      let wrong = try identities.filter { try StoredDeliveries.has($0.digest, connection) != $0.isAnswered }
      return (stored, wrong.map(\.id))
    }
    self.stored = stored
    let waiting = stored.filter { !$0.value.waiting.isEmpty }.map { prefix + $0.key }
    if !waiting.isEmpty {
      try await fleet[0].write { connection in
        for aggregateId in waiting { try StoredAggregate.removeWaiting(aggregateId, connection) }
      }
    }
    guard findings.isEmpty else { return }
    if !wrong.isEmpty, flaw != .forgetsDeliveries {
      findings.append("the inbox has what was not answered, or not what was: \(wrong)")
    }
    for (aggregate, stored) in stored.sorted(by: { $0.key < $1.key }) {
      findings += StoredComparison(rule: rules[aggregate] ?? StockRule(), stored: stored).differences.map {
        "\(aggregate) \($0)"
      }
    }
  }
}
