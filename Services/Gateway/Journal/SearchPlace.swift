/// How far a search has come that goes on with another call, and where it ends, as a page's token has it.
struct SearchPlace: Equatable {
  /// The first and the last number that are left.
  let first: Int64
  let last: Int64

  init(_ rest: ClosedRange<Int64>) { (first, last) = (rest.lowerBound, rest.upperBound) }

  /// - Returns: nil for a text that ``text`` has not made.
  init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
    guard parts.count == 2, let first = parts[0], let last = parts[1] else { return nil }
    (self.first, self.last) = (first, last)
  }

  var text: String { "\(first)-\(last)" }

  /// What is left of it in a journal that has other bounds by now; nil when nothing is.
  func rest(of range: ClosedRange<Int64>?) -> ClosedRange<Int64>? {
    guard let range else { return nil }
    let (lower, upper) = (max(range.lowerBound, first), min(range.upperBound, last))
    return lower <= upper ? lower...upper : nil
  }
}
