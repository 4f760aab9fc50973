/// When a name is looked up: again and again, soon when a connection is lost or a server says that it stops, later and later
/// while it fails, and never more often than once a second. Holds no clock: the caller acts on what the functions return.
struct LookUpSchedule {
  private var lastLook: UInt64?
  private var isLooking = false
  /// Asked for while a look-up was under way, whose answer may be from before.
  private var isWanted = false
  private var backOff = BackOff(first: .seconds(1), longest: .seconds(30))

  static let intervalNanoseconds: UInt64 = 30_000_000_000
  static let shortestIntervalNanoseconds: UInt64 = 1_000_000_000

  enum Action: Equatable {
    /// Look up now.
    case look
    /// Call `timeIsUp` then.
    case wait(until: UInt64)
    /// A look-up is under way.
    case none
  }

  /// What was known may be out of date.
  mutating func lookUpWanted(now: UInt64) -> Action {
    guard !isLooking else {
      isWanted = true
      return .none
    }
    return soon(now)
  }

  mutating func timeIsUp(now: UInt64) -> Action { isLooking ? .none : soon(now) }

  mutating func lookUpEnded(
    succeeded: Bool, now: UInt64, random: inout some RandomNumberGenerator
  ) -> Action {
    isLooking = false
    let last = lastLook ?? now
    var pause = LookUpSchedule.intervalNanoseconds
    if succeeded { backOff.reset() } else { pause = min(pause, backOff.next(using: &random)) }
    if isWanted { pause = LookUpSchedule.shortestIntervalNanoseconds }
    isWanted = false
    return .wait(until: max(last &+ max(pause, LookUpSchedule.shortestIntervalNanoseconds), now))
  }

  private mutating func soon(_ now: UInt64) -> Action {
    if let lastLook, now < lastLook &+ LookUpSchedule.shortestIntervalNanoseconds {
      return .wait(until: lastLook &+ LookUpSchedule.shortestIntervalNanoseconds)
    }
    isLooking = true
    lastLook = now
    return .look
  }
}
