/// Who may send to the OMS now: so many at a time, so many a second, those who are waited for first. No I/O, no clock: callers
/// pass the time and admit whom ``admissions(now:)`` names.
///
/// Gateways on one store share the limits evenly, as each has about as much to send as the others.
///
/// The rate is a token bucket that holds the tokens of a tenth of a second: the OMS is never hit by more than that at once.
struct SendLimits: Sendable {
  typealias Ticket = UInt64

  /// Somebody waits for the answer, or nobody does.
  enum Urgency: Sendable { case call, delivery }

  /// Calls that may wait. Deliveries are few: their dispatchers limit themselves.
  static let maxWaitingCalls = 256

  /// Of all gateways together.
  private let whole: (concurrency: Int, rate: Double?)
  private var concurrency: Int
  /// Tokens a second; nil for no limit.
  private var rate: Double?
  private var capacity: Double
  private var tokens: Double
  private var filledAt: ContinuousClock.Instant?
  private var inFlight = 0
  private var lastTicket: Ticket = 0
  /// In their order. Short: who gives up is looked for from the front.
  private var calls: [Ticket] = []
  private var deliveries: [Ticket] = []

  /// - Parameters:
  ///   - concurrency: messages that the OMS works on at the same time.
  ///   - rate: messages a second; nil for no limit.
  init(concurrency: Int, rate: Int?) {
    whole = (concurrency, rate.map(Double.init))
    (self.concurrency, self.rate) = whole
    capacity = Self.capacity(whole.rate)
    tokens = capacity
  }

  private static func capacity(_ rate: Double?) -> Double { max(1, (rate ?? 1) / 10) }

  /// So many gateways send. Each may have one message under way at least.
  mutating func share(among gateways: Int) {
    let gateways = max(1, gateways)
    concurrency = (whole.concurrency + gateways - 1) / gateways
    rate = whole.rate.map { $0 / Double(gateways) }
    capacity = Self.capacity(rate)
    tokens = min(tokens, capacity)
  }

  /// - Returns: nil when too many calls wait already.
  mutating func request(_ urgency: Urgency) -> Ticket? {
    if urgency == .call, calls.count >= Self.maxWaitingCalls { return nil }
    lastTicket += 1
    switch urgency {
    case .call: calls.append(lastTicket)
    case .delivery: deliveries.append(lastTicket)
    }
    return lastTicket
  }

  /// Who waited does not any more.
  mutating func withdraw(_ ticket: Ticket) {
    calls.removeAll { $0 == ticket }
    deliveries.removeAll { $0 == ticket }
  }

  /// Who was admitted has its answer.
  mutating func released() { inFlight -= 1 }

  /// Those who may send now; each is to be followed by ``released()``.
  mutating func admissions(now: ContinuousClock.Instant) -> [Ticket] {
    fill(now)
    var admitted: [Ticket] = []
    while inFlight < concurrency, rate == nil || tokens >= 1, let ticket = next() {
      if rate != nil { tokens -= 1 }
      inFlight += 1
      admitted.append(ticket)
    }
    return admitted
  }

  /// When there may be somebody to admit without anything having happened; nil for never.
  var nextDue: ContinuousClock.Instant? {
    guard let rate, let filledAt, tokens < 1, inFlight < concurrency,
      !calls.isEmpty || !deliveries.isEmpty
    else { return nil }
    return filledAt.advanced(by: .seconds((1 - tokens) / rate))
  }

  private mutating func fill(_ now: ContinuousClock.Instant) {
    if let rate, let filledAt { tokens = min(capacity, tokens + max(0, (now - filledAt) / .seconds(1)) * rate) }
    filledAt = now
  }

  private mutating func next() -> Ticket? {
    if !calls.isEmpty { return calls.removeFirst() }
    return deliveries.isEmpty ? nil : deliveries.removeFirst()
  }
}
