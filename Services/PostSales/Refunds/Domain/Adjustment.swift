import Commerce

/// What is added to a memo, and what is kept back, so that it comes to the amount that the OMS has decided: partial amounts,
/// and the last cents of taxes that both sides have rounded differently.
struct Adjustment: Equatable, Sendable {
  /// Both in base currency, neither negative.
  var positive: Decimal
  var negative: Decimal
  /// What the memo comes to then.
  var total: Sides

  /// What there is to be shared out.
  struct Limits {
    /// Of the whole order.
    var order: Sides
    /// Of the invoice that the memo is made through, in base currency; nil for none.
    var invoice: Decimal?
    /// What memos of the order have kept back so far, in base currency.
    var keptBack: Decimal
    /// What the memo may come to at most, in order currency.
    var ceiling: Decimal
    /// How far from the target it may be.
    var miss: Decimal
  }

  /// The adjustment by which a memo comes to `target`, or as near as the base currency allows.
  ///
  /// The amounts are told in base currency, and Magento converts each by itself. Of those that meet the target equally well the
  /// one is taken that leaves the two currencies in proportion, so that the last refund empties both.
  ///
  /// Magento refuses all further refunds of an order once what is left equals what was kept back (it takes it for a fee): then a
  /// smallest unit is added to both.
  ///
  /// - Parameters:
  ///   - target: in order currency, more than 0.
  ///   - natural: what the memo comes to without an adjustment; may be negative, when gift cards take more than it has.
  /// - Returns: nil when no adjustment comes near without more money than there is.
  static func fit(
    target: Decimal, natural: Sides, limits: Limits, currencies: Currencies
  ) -> Adjustment? {
    let exact = (target - natural.order) / currencies.rate
    let half = currencies.orderUnit / 2 / currencies.rate
    let proportional = limits.order.base - (limits.order.order - target) / currencies.rate - natural.base
    var best: (adjustment: Adjustment, score: Score)?
    var tried: Set<Decimal> = []
    for center in [exact, proportional, exact - half, exact + half] {
      for step in -2...2 {
        let net = center.rounded(currencies.basePlaces) + Decimal(step) * currencies.baseUnit
        guard tried.insert(net).inserted else { continue }
        for extra in 0...4 {
          let both = Decimal(extra) * currencies.baseUnit
          let candidate = Adjustment(
            positive: max(net, 0) + both, negative: max(-net, 0) + both, natural: natural, currencies)
          guard let score = Score(candidate, target, extra, limits, currencies) else { continue }
          if best.map({ score < $0.score }) ?? true { best = (candidate, score) }
          if score.miss.isZero { break }
        }
      }
    }
    guard let best, best.score.miss <= limits.miss else { return nil }
    return best.adjustment
  }

  private init(positive: Decimal, negative: Decimal, natural: Sides, _ currencies: Currencies) {
    self.positive = positive
    self.negative = negative
    total = Sides(
      order: natural.order + currencies.converted(positive) - currencies.converted(negative),
      base: natural.base + positive - negative)
  }

  /// Less is better.
  private struct Score: Comparable {
    let miss: Decimal
    /// Whether one currency would be used up before the other.
    let endsUnevenly: Bool
    let drift: Decimal
    let extra: Int

    /// nil when the shop would refuse the memo, or all after it.
    init?(
      _ adjustment: Adjustment, _ target: Decimal, _ extra: Int, _ limits: Limits, _ currencies: Currencies
    ) {
      let total = adjustment.total
      guard total.order > 0, total.base > 0, total.order <= min(limits.order.order, limits.ceiling),
        total.base <= limits.order.base
      else { return nil }
      if let invoice = limits.invoice, total.base > invoice { return nil }
      let left = limits.order - total
      guard left.base.isZero || left.base != limits.keptBack + adjustment.negative else { return nil }
      miss = (total.order - target).magnitude
      endsUnevenly = left.base.isZero != left.order.isZero
      drift = (left.base - left.order / currencies.rate).magnitude
      self.extra = extra
    }

    static func < (left: Score, right: Score) -> Bool {
      if left.miss != right.miss { return left.miss < right.miss }
      if left.endsUnevenly != right.endsUnevenly { return right.endsUnevenly }
      if left.drift != right.drift { return left.drift < right.drift }
      return left.extra < right.extra
    }
  }
}
