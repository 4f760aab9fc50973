/// Random numbers for identifiers: unpredictable from the outside, unique in practice, a few instructions each. Not for
/// secrets.
///
/// Source: xoshiro256++ by David Blackman and Sebastiano Vigna, <https://prng.di.unimi.it>.
public struct LoopRandom: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Starts somewhere that the system's random numbers choose.
  public init() {
    var system = SystemRandomNumberGenerator()
    // All zero is the one state that the generator does not leave.
    state = (system.next() | 1, system.next(), system.next(), system.next())
  }

  init(state: (UInt64, UInt64, UInt64, UInt64)) { self.state = state }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    let sum = state.0 &+ state.3
    let result = (sum << 23 | sum >> 41) &+ state.0
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = state.3 << 45 | state.3 >> 19
    return result
  }
}
