extension Duration {
  /// Whole nanoseconds; negative becomes 0, more than fits becomes the largest value that can be added to a clock.
  public var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    if seconds > 4_000_000_000 { return 4_000_000_000_000_000_000 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }
}
