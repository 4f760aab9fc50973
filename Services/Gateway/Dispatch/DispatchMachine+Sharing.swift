extension DispatchMachine.Limits {
  /// Of each of the dispatchers that share a destination, so that all of them together take about as much memory as one would.
  ///
  /// Each may have more under way than its part, as some have much to do while others have nothing: what they have under way
  /// together is limited by ``DeliveryTurns``.
  func shared(among dispatchers: Int) -> DispatchMachine.Limits {
    if dispatchers == 1 { return self }
    func part(_ whole: Int, atLeast least: Int) -> Int { min(whole, max(least, whole / dispatchers)) }
    var limits = self
    limits.inFlight = part(inFlight * 2, atLeast: 4)
    limits.lanes = part(lanes, atLeast: 64)
    limits.buffered = PageLimits(
      rows: part(buffered.rows, atLeast: 64), weight: part(buffered.weight, atLeast: 1 << 20))
    limits.page = PageLimits(rows: part(page.rows, atLeast: 64), weight: part(page.weight, atLeast: 1 << 20))
    limits.laneRows = part(laneRows, atLeast: 16)
    limits.reads = part(reads, atLeast: 1)
    limits.loads = part(loads, atLeast: 16)
    limits.requeued = part(requeued, atLeast: 64)
    limits.withheld = part(withheld, atLeast: 64)
    return limits
  }
}
