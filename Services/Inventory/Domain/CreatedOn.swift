/// When a snapshot's quantities were true: what decides which of two snapshots is newer.
///
/// Kept as nanoseconds since 1970 (UTC) in 64 bits, so from 1970 to April 2262: what a stored integer compares exactly.
struct CreatedOn: Hashable, Comparable, Sendable {
  /// Since 1970-01-01T00:00:00Z, never negative.
  let nanoseconds: Int64

  static func < (a: CreatedOn, b: CreatedOn) -> Bool { a.nanoseconds < b.nanoseconds }

  /// - Parameter nanoseconds: since 1970, not negative: as the store holds them.
  init(nanoseconds: Int64) {
    precondition(nanoseconds >= 0, "created_on before 1970")
    self.nanoseconds = nanoseconds
  }

  /// - Parameter nanoseconds: of the second, 0 to 999 999 999.
  /// - Returns: nil outside 1970 to 2262.
  init?(seconds: Int64, nanoseconds: Int64) {
    guard seconds >= 0, (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowOfSum) = whole.addingReportingOverflow(nanoseconds)
    if overflow || overflowOfSum { return nil }
    self.nanoseconds = sum
  }
}
