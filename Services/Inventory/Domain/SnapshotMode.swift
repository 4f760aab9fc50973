/// What a snapshot says about the SKUs that it does not list.
enum SnapshotMode: String, CaseIterable, Sendable {
  /// Every SKU of the aggregate. One left out keeps its value.
  case full = "FULL"
  /// Only the SKUs that changed.
  case delta = "DELTA"
  /// Only the SKUs that have stock. Those left out become 0, unlimited ones excepted.
  case nonzero = "NONZERO"

  /// For the store: never changed.
  var number: Int64 {
    switch self {
    case .full: 1
    case .delta: 2
    case .nonzero: 3
    }
  }

  /// - Parameter number: as the store has it; nil when it is none's.
  init?(number: Int64) {
    guard let mode = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = mode
  }
}
