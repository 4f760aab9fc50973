/// What a snapshot says about the SKUs that it does not list.
enum SnapshotMode: String, CaseIterable, Sendable {
  /// Every SKU of the aggregate. One left out keeps its value.
  case full = "FULL"
  /// Only the SKUs that changed.
  case delta = "DELTA"
  /// Only the SKUs that have stock. Those left out become 0, unlimited ones excepted.
  case nonzero = "NONZERO"
}
