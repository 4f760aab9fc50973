/// Something that happens once at a time. Subclassed by what has deadlines, so that a call with one costs no
/// allocation.
open class LoopTimer {
  fileprivate var deadline: UInt64 = 0
  /// Its slot in the wheel, or one of the two below.
  fileprivate var slot = LoopTimer.idle
  fileprivate static let idle = -1
  /// Taken from the wheel to be fired in this round.
  fileprivate static let due = -2
  // Unretained; the wheel keeps every scheduled timer alive by a retain of its own.
  fileprivate unowned(unsafe) var next: LoopTimer?
  fileprivate unowned(unsafe) var previous: LoopTimer?

  /// Not scheduled.
  public init() {}

  /// Whether it will fire.
  public final var isScheduled: Bool { slot != LoopTimer.idle }

  /// Fires a timer that was taken from the wheel, unless another one has taken it back since.
  final func fireIfDue() {
    guard slot == LoopTimer.due else { return }
    slot = LoopTimer.idle
    fire()
  }

  /// Called on the loop when the deadline has passed. The timer is not scheduled any more and may be scheduled again.
  open func fire() {}
}

/// A hashed timing wheel: inserting and removing cost the same whatever the number of timers, as calls with a deadline
/// come and go by the hundred thousand and almost none of them ever fires.
///
/// A slot is a millisecond wide and there are 4 096: timers further ahead share slots with nearer ones and are passed
/// over until their round comes.
struct TimerWheel {
  /// 64 words of 64 bits, see `occupiedWords`.
  static let slotCount = 64 * 64
  static let slotNanoseconds: UInt64 = 1_000_000

  private let heads: UnsafeMutablePointer<Unmanaged<LoopTimer>?>
  /// One bit a slot: whether it holds a timer.
  private let occupied: UnsafeMutablePointer<UInt64>
  /// One bit for each of those words: whether it has one that is set. The loop asks for the next timer whenever it waits,
  /// and should not have to search for it.
  private var occupiedWords: UInt64 = 0
  /// The first tick that has not been fired yet.
  private var cursor: UInt64
  private(set) var count = 0

  init(now: UInt64) {
    cursor = now / TimerWheel.slotNanoseconds
    // Lives as long as its loop, which lives as long as the process.
    heads = .allocate(capacity: TimerWheel.slotCount)
    heads.initialize(repeating: nil, count: TimerWheel.slotCount)
    occupied = .allocate(capacity: TimerWheel.slotCount / 64)
    occupied.initialize(repeating: 0, count: TimerWheel.slotCount / 64)
  }

  mutating func insert(_ timer: LoopTimer, at deadline: UInt64) {
    remove(timer)
    let tick = max((deadline &+ (TimerWheel.slotNanoseconds - 1)) / TimerWheel.slotNanoseconds, cursor)
    let slot = Int(tick % UInt64(TimerWheel.slotCount))
    timer.deadline = tick * TimerWheel.slotNanoseconds
    timer.slot = slot
    timer.previous = nil
    if let head = heads[slot] {
      timer.next = head._withUnsafeGuaranteedRef {
        $0.previous = timer; return $0
      }
    } else {
      timer.next = nil
      occupied[slot >> 6] |= 1 << UInt64(slot & 63)
      occupiedWords |= 1 << UInt64(slot >> 6)
    }
    heads[slot] = Unmanaged.passRetained(timer)
    count += 1
  }

  mutating func remove(_ timer: LoopTimer) {
    let slot = timer.slot
    guard slot >= 0 else {
      timer.slot = LoopTimer.idle
      return
    }
    let next = timer.next
    next?.previous = timer.previous
    if let previous = timer.previous {
      previous.next = next
    } else if let next {
      heads[slot] = Unmanaged.passUnretained(next)
    } else {
      heads[slot] = nil
      occupied[slot >> 6] &= ~(1 << UInt64(slot & 63))
      if occupied[slot >> 6] == 0 { occupiedWords &= ~(1 << UInt64(slot >> 6)) }
    }
    timer.slot = LoopTimer.idle
    timer.next = nil
    timer.previous = nil
    count -= 1
    Unmanaged.passUnretained(timer).release()
  }

  /// When the loop has to look again: at or before the earliest deadline.
  var nextWakeUp: UInt64? {
    guard count > 0 else { return nil }
    let start = Int(cursor % UInt64(TimerWheel.slotCount))
    let word = start >> 6
    let fromStart = occupied[word] & (~0 << UInt64(start & 63))
    if fromStart != 0 { return wakeUp(atSlot: word << 6 + fromStart.trailingZeroBitCount, from: start) }
    // The words behind this one, round the circle; the last of them is this one, where what is left is before the start.
    let first = UInt64(word + 1) & 63
    let behind = occupiedWords &>> first | occupiedWords &<< (64 - first)
    assert(behind != 0, "\(count) timers, but no slot is occupied")
    let next = (Int(first) + behind.trailingZeroBitCount) & 63
    return wakeUp(atSlot: next << 6 + occupied[next].trailingZeroBitCount, from: start)
  }

  private func wakeUp(atSlot slot: Int, from start: Int) -> UInt64 {
    let distance = (slot - start) & (TimerWheel.slotCount - 1)
    return (cursor + UInt64(distance)) * TimerWheel.slotNanoseconds
  }

  /// Takes out every timer whose deadline is not after `now`, for the caller to fire with `fireIfDue`: a timer that
  /// fires may schedule itself again or take another one back, so the wheel must not be in use by then.
  mutating func takeDue(upTo now: UInt64) -> [LoopTimer] {
    let last = now / TimerWheel.slotNanoseconds
    guard last >= cursor else { return [] }
    if count == 0 {
      cursor = last + 1
      return []
    }
    var due: [LoopTimer] = []
    let slots = min(last - cursor + 1, UInt64(TimerWheel.slotCount))
    for tick in cursor..<(cursor + slots) {
      let slot = Int(tick % UInt64(TimerWheel.slotCount))
      guard occupied[slot >> 6] & (1 << UInt64(slot & 63)) != 0 else { continue }
      var timer = heads[slot]?.takeUnretainedValue()
      while let candidate = timer {
        timer = candidate.next
        if candidate.deadline <= now { due.append(candidate) }
      }
    }
    cursor = last + 1
    for timer in due {
      remove(timer)
      timer.slot = LoopTimer.due
    }
    return due
  }
}
