import TestSupport

extension Schedule {
  /// The schedule of a seed.
  ///
  /// - Parameter concurrency: how many of a hundred schedules let steps run at the same time.
  init(seed: UInt64, replicas: Int, concurrency: Int) {
    var generator = ScheduleGenerator(seed: seed, replicas: replicas)
    self.init(seed: seed, replicas: replicas, rounds: generator.rounds(concurrency: concurrency))
  }
}

/// Makes schedules in which what is rare elsewhere is common: equal times, parts, duplicates, deaths, bad rows.
private struct ScheduleGenerator {
  private var random: SeededGenerator
  private let replicas: Int
  private let aggregates: [String]
  private let skus: [String]
  /// So many SKUs that many zeros wait for the operator.
  private let isLarge: Bool
  private var deliveries = 0

  init(seed: UInt64, replicas: Int) {
    var random = SeededGenerator(seed: seed)
    self.replicas = replicas
    isLarge = Int.random(in: 0..<10, using: &random) == 0
    aggregates = Bool.random(using: &random) ? ["A"] : ["A", "B"]
    skus = isLarge ? (10..<32).map { "s\($0)" } : ["a", "b", "c", "d", "e"]
    self.random = random
  }

  mutating func rounds(concurrency: Int) -> [[Step]] {
    let isConcurrent = number(0..<100) < concurrency
    var steps = deliveriesInOrder()
    insertDuplicates(&steps)
    insertOthers(&steps)
    steps.append(.pass)
    for aggregate in aggregates { steps.append(.close(aggregate: aggregate, replica: replica())) }
    return isConcurrent ? grouped(steps) : steps.map { [$0] }
  }

  // MARK: Messages

  private mutating func deliveriesInOrder() -> [Step] {
    var messages: [StockMessage] = []
    if isLarge {
      for aggregate in aggregates { messages += parts(.full, of: aggregate, at: .past(0), count: 1, share: 100) }
    }
    let first = messages.count
    for _ in 0..<number(2..<8) {
      let mode: StockMessage.Mode = one(of: [.full, .delta, .delta, .delta, .nonzero, .nonzero])
      let time: SimulatedTime = chance(12) ? .future(number(1..<3)) : .past(number(1..<7))
      let share = mode == .nonzero ? one(of: [30, 60, 90]) : mode == .delta ? isLarge ? 10 : 35 : 85
      messages += parts(
        mode, of: one(of: aggregates), at: time, count: mode == .delta ? 1 : number(1..<4), share: share)
    }
    // As they were created, in about that order, or in any.
    switch number(0..<3) {
    case 0: messages.sort { $0.createdOn.nanoseconds < $1.createdOn.nanoseconds }
    case 1: messages[first...].shuffle(using: &random)
    default:
      messages.sort { $0.createdOn.nanoseconds < $1.createdOn.nanoseconds }
      for index in messages.indices.dropFirst() where chance(3) { messages.swapAt(index, index - 1) }
    }
    return messages.map { .deliver($0, replica: replica()) }
  }

  /// - Parameter share: how many of a hundred SKUs it names.
  private mutating func parts(
    _ mode: StockMessage.Mode, of aggregate: String, at time: SimulatedTime, count: Int, share: Int
  ) -> [StockMessage] {
    var rows: [StockMessage.Row] = []
    for sku in skus where number(0..<100) < share {
      rows.append(row(sku))
      if chance(40) { rows.append(row(sku)) }
    }
    if chance(40) { rows.append(row("")) }
    return (0..<count).map { part in
      let rows = rows.enumerated().filter { $0.offset % count == part }.map(\.element)
      return StockMessage(id: nextID(), aggregate: aggregate, mode: mode, createdOn: time, rows: rows)
    }
  }

  private mutating func row(_ sku: String) -> StockMessage.Row {
    let quantity: Int64? = chance(20) ? nil : chance(15) ? -1 : Int64(number(0..<5))
    return StockMessage.Row(sku: sku, quantity: quantity, unlimited: chance(10))
  }

  private mutating func nextID() -> String {
    deliveries += 1
    return "d\(deliveries)"
  }

  // MARK: What goes wrong

  private mutating func insertDuplicates(_ steps: inout [Step]) {
    for step in steps {
      guard case .deliver(var message, _) = step, chance(5) else { continue }
      // The answer was lost; or the OMS sends again under another id; or it has begun its ids anew.
      switch number(0..<6) {
      case 0: message.id = nextID()
      case 1: message.rows.append(row(one(of: skus)))
      default: break
      }
      insert(.deliver(message, replica: replica()), &steps)
    }
  }

  private mutating func insertOthers(_ steps: inout [Step]) {
    for step in steps {
      guard case .deliver(let message, _) = step, chance(15) else { continue }
      insert(.die(message, replica: replica()), &steps)
    }
    if chance(12) { insert(.restart(replica: replica()), &steps) }
    if chance(8) { insert(.cut(replica: replica()), &steps) }
    for _ in 0..<2 where chance(5) {
      insert(.pass, &steps)
      insert(.close(aggregate: one(of: aggregates), replica: replica()), &steps)
    }
    for _ in 0..<3 where chance(isLarge ? 2 : 4) {
      let step = Step.decide(
        aggregate: one(of: aggregates), number: number(0..<3), apply: !chance(4), replica: replica())
      insert(step, &steps)
    }
    if chance(6) { insert(.reset(aggregate: one(of: aggregates), sku: one(of: skus), replica: replica()), &steps) }
  }

  private mutating func insert(_ step: Step, _ steps: inout [Step]) {
    steps.insert(step, at: number(0..<steps.count + 1))
  }

  /// Runs of steps that may meet each other; what an operator does comes alone.
  private mutating func grouped(_ steps: [Step]) -> [[Step]] {
    var rounds: [[Step]] = []
    var room = 0
    // Whether it was ended is not known when the session was lost, and nobody asks again at once.
    let isCut = steps.contains { if case .cut = $0 { true } else { false } }
    for step in steps {
      switch step {
      case .close where isCut:
        rounds.append([step])
        room = 0
      case .deliver, .die, .restart, .cut, .close:
        if room == 0 {
          rounds.append([])
          room = number(1..<8)
        }
        rounds[rounds.count - 1].append(step)
        room -= 1
      case .pass, .decide, .reset:
        rounds.append([step])
        room = 0
      }
    }
    return rounds
  }

  // MARK: Numbers

  private mutating func number<Value: FixedWidthInteger>(_ range: Range<Value>) -> Value {
    Value.random(in: range, using: &random)
  }

  /// Once in so many times.
  private mutating func chance(_ times: Int) -> Bool { number(0..<times) == 0 }

  private mutating func one<Value>(of values: [Value]) -> Value { values[number(0..<values.count)] }

  private mutating func replica() -> Int { number(0..<replicas) }
}
