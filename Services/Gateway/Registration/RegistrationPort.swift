/// What the connector asks of the OMS to be its endpoint.
protocol RegistrationPort: Sendable {
  func register(
    _ content: RegistrationContent, _ manner: RegistrationManner
  ) async throws(RegistrationFailure) -> RegistrationResult
  func unregister() async throws(ServiceBusError)
  /// Lets the OMS send nothing more: switched off, or taken back.
  func disable() async throws(ServiceBusError)
  /// What the OMS knows of the registration.
  func check(_ content: RegistrationContent) async -> RegistrationCheck
}

/// How to register.
enum RegistrationManner: Sendable, Equatable {
  /// If the OMS says that the id is taken, the registration that is there is taken back first.
  case plain
  /// Only to make sure that it is there; nothing about it has changed. Leaves no second one with a bus that keeps both.
  case renewing
  /// Takes back first, because there are several.
  case replacing
  /// Switches on first what was switched off.
  case enabling
}

enum RegistrationResult: Sendable, Equatable {
  /// The OMS has taken what it was sent.
  case accepted
  /// It refused a second registration of the same id: the first one is there.
  case held
}

struct RegistrationFailure: Error, Equatable {
  let reason: ServiceBusError
  /// A registration that was there has been taken back on the way.
  let isLost: Bool
}
