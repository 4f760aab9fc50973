/// What outlives the gateway's process.
struct KeptRegistration: Sendable, Equatable {
  var goal = RegistrationMachine.Goal.registered
  /// Whether the OMS was told, so that it need not be told again.
  var isSettled = false
  /// When somebody wanted that; nil when nobody ever wanted anything.
  var changedAt: WallTime?
}

/// A bus method that is subscribed to.
struct KeptTopic: Sendable, Hashable {
  var method: String
  /// When its service was last heard of; nil while it is there.
  var awaySince: WallTime?
}

/// Where it is kept.
protocol RegistrationMemory: Sendable {
  /// Returns when it is durable.
  func save(_ registration: KeptRegistration) async throws
  /// The bus methods that are subscribed to.
  func save(topics: [KeptTopic]) async throws
}
