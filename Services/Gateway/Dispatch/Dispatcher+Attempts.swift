import EventLoop
import ServiceKit

extension Dispatcher {
  func attempt(_ message: PendingMessage, _ lane: DispatchMachine.LaneID, _ number: Int) async {
    defer { attempts[number] = nil }
    var message = message
    let (outcome, attempt) = await tried(message, number)
    if let attempt, machine.isCounted(outcome, lane, now()) || policy.lifetime != nil { message.attempts.add(attempt) }
    unsettled[message.id] = []
    let decision = machine.delivered(message, lane, outcome, at: now(), random: .random(in: 0...1))
    pump()
    log(message, decision)
    await settle(message, lane, decision)
    for waiter in unsettled.removeValue(forKey: message.id) ?? [] { waiter.resume() }
    answer(message, decision, outcome)
    machine.settled(message.id, lane)
    guard let notice, case .finish(policy.givenUp, _, _) = decision else { return pump() }
    // It may have to go the same way.
    machine.woken()
    pump()
    await notice.committed()
  }

  /// - Returns: the outcome, and what is to be noted of it; nil when nothing was tried.
  func tried(_ message: PendingMessage, _ number: Int) async -> (DeliveryOutcome, AttemptLog.Attempt?) {
    guard await hasTurn(number) else { return (.held("the gateway is stopping"), nil) }
    let (startedAt, start) = (now(), EventLoop.monotonicNanoseconds())
    let outcome = await deliver(message)
    await turns?.end()
    if case .held = outcome { return (outcome, nil) }
    let duration = Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start))
    return (outcome, .init(startedAt: startedAt, duration: duration, error: outcome.reason))
  }

  func hasTurn(_ number: Int) async -> Bool {
    guard let turns else { return true }
    guard isRunning else { return false }
    waitingForTurn.insert(number)
    defer { waitingForTurn.remove(number) }
    return await turns.begin()
  }

  /// Makes the decision durable, however long that takes: the message was taken out of the queue in memory and must not come
  /// back before a restart.
  func settle(
    _ message: PendingMessage, _ lane: DispatchMachine.LaneID, _ decision: DispatchMachine.Decision
  ) async {
    while true {
      do {
        switch decision {
        case .finish(let status, let reason, let result):
          try await store.finish(
            message.id, replay: message.replayCount, status, attempts: message.attempts, reason: reason, result: result,
            at: now(), notice: status == policy.givenUp ? notice?.make(message, reason) : nil)
        case .postpone(let until, let reason):
          try await store.postpone(
            message.id, replay: message.replayCount, attempts: message.attempts, reason: reason, until: until)
        case .nothing: break
        }
        return
      } catch {
        guard await waitForStore(error) else { return }
      }
    }
  }

  func log(_ message: PendingMessage, _ decision: DispatchMachine.Decision) {
    let (text, reason): (String, String)
    switch decision {
    case .finish(.success, _, _), .nothing: return
    case .finish(_, let why, _): (text, reason) = ("message given up", why)
    case .postpone(_, let why): (text, reason) = ("message failed", why)
    }
    Log.warning(
      text,
      [
        "journal_id": LogValue(Int(message.id)), "delivery_id": .deliveryID(message.deliveryID),
        "method": "\(message.method)", "destination": "\(destination)", "attempts": LogValue(message.attempts.count),
        "reason": "\(reason)",
      ])
  }
}
