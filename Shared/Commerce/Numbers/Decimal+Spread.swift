extension Decimal {
  /// Spreads the number over parts in proportion to weights, each with so many places, so that the parts add up to it exactly
  /// (largest remainder; of equal remainders the last part's counts first). Without any weight the parts are equal.
  ///
  /// What the number has beyond these places goes into the last part, so that nothing is lost.
  ///
  /// - Parameters:
  ///   - weights: not negative, one at least.
  ///   - places: 0…12.
  public func spread(over weights: [Decimal], places: Int) -> [Decimal] {
    precondition(!weights.isEmpty && weights.allSatisfy { !$0.isNegative }, "weights of 0 or more, one at least")
    guard weights.count > 1 else { return [self] }
    let total = weights.sum()
    let shares = total.isZero ? weights.map { _ in Decimal(1) } : weights
    let whole = total.isZero ? Decimal(weights.count) : total
    let step = Decimal(units: Self.step(places))
    // Towards zero, so that what is left has the number's sign.
    var parts: [Decimal] = []
    var remainders: [(remainder: Decimal, index: Int)] = []
    for (index, share) in shares.enumerated() {
      let exact = part(share, of: whole)
      let part = exact.roundedDown(places)
      parts.append(part)
      remainders.append(((exact - part).magnitude, index))
    }
    remainders.sort { ($0.remainder, $0.index) > ($1.remainder, $1.index) }
    var left = self - parts.sum()
    let direction = left.isNegative ? -step : step
    for (_, index) in remainders {
      guard left.magnitude >= step else { break }
      parts[index] += direction
      left -= direction
    }
    parts[parts.count - 1] += left
    return parts
  }

  /// Spreads the number over so many equal parts: what can't be divided goes to the last ones.
  public func split(into count: Int, places: Int) -> [Decimal] {
    spread(over: Array(repeating: 1, count: count), places: places)
  }
}
