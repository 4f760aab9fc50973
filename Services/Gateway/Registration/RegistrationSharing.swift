/// What the gateway that sees to the registration lets others know of it.
struct RegistrationSnapshot: Sendable, Equatable {
  var state: RegistrationMachine.State
  var stateSince: WallTime
  var registeredAt: WallTime?
  var failedAttempts = 0
  var lastError = ""
  var nextAttemptAt: WallTime?
  var checkedAt: WallTime?
  var checkResult = ""
  var nextCheckAt: WallTime?
  /// Of the secret that the OMS has, see ``SigningSecrets/mark(of:)``; empty when it has none.
  var secretMark: [UInt8] = []
}

/// What somebody asks of the registration.
enum RegistrationWish: Int64, Sendable, Equatable {
  // Kept in the store: these numbers stay.
  case register = 1
  case unregister = 2
  case disable = 3
  case enable = 4
  /// Nobody waits for an answer: the registration seems to be lost.
  case look = 5
}

/// What is kept of the registration, for a gateway that another one sees to it for.
struct SharedRegistration: Sendable, Equatable {
  var kept = KeptRegistration()
  var topics: [KeptTopic] = []
  /// nil when no gateway has said anything yet.
  var snapshot: RegistrationSnapshot?
}

/// How several gateways on one store have one registration: one of them sees to it, and others ask that one.
protocol RegistrationSharing: Sendable {
  /// Lets others know how it is.
  func publish(_ snapshot: RegistrationSnapshot) async throws
  func load() async throws -> SharedRegistration
  /// Asks the gateway that sees to it; returns when that has done it.
  ///
  /// - Throws: what that one answered; UNAVAILABLE when none answers.
  func ask(_ wish: RegistrationWish) async throws
}

extension RegistrationMachine.State {
  /// In the store: these numbers stay.
  var number: Int64 {
    switch self {
    case .unconfigured: 1
    case .pending: 2
    case .registered: 3
    case .unregistered: 4
    case .disabled: 5
    }
  }

  init?(number: Int64) {
    let all: [RegistrationMachine.State] = [.unconfigured, .pending, .registered, .unregistered, .disabled]
    guard let state = all.first(where: { $0.number == number }) else { return nil }
    self = state
  }
}
