/// What outlives the gateway's process.
struct KeptRegistration: Sendable, Equatable {
  var goal = RegistrationMachine.Goal.registered
  /// Whether the OMS was told, so that it need not be told again.
  var isSettled = false
  /// When somebody wanted that; nil when nobody ever wanted anything.
  var changedAt: WallTime?
}

/// Where it is kept.
protocol RegistrationMemory: Sendable {
  /// Returns when it is durable.
  func save(_ registration: KeptRegistration) async throws
  /// The bus methods that services consume.
  func save(topics: [String]) async throws
}
