import ServiceKit
import Storage

extension Gateway {
  /// Everything about the connector's place in the OMS: what registers it, what knows what to subscribe to, and who may ask.
  ///
  /// - Parameters:
  ///   - bus: nil without an OMS.
  ///   - shared: the store once more, where other gateways may work on it; nil for one that works alone.
  /// - Returns: also what one gateway of several has to do about it; nothing for one that works alone.
  static func registration(
    _ oms: OMSConfiguration, _ bus: BusClient?, callbackURL: String, _ backends: Backends, _ database: Database,
    shared: Database?, _ setup: inout ServiceSetup
  ) async throws -> (registrar: Registrar, duties: [GatewayLeases.Duty]) {
    let configuration = setup.configuration
    let store = RegistrationStore(database: database)
    let kept = try await store.load()
    var timing = RegistrationTiming()
    timing.checkInterval = configuration[GatewaySettings.registrationCheck]
    timing.renewalInterval = configuration[GatewaySettings.registrationRenewal]
    let port: ServiceBus? = bus.flatMap { bus in
      oms.connection(callbackURL: callbackURL).map { ServiceBus($0, bus: bus) }
    }
    let share = shared.map { RegistrationShare(database: $0) }
    let lease = HeldDuty()
    let registrar = Registrar(
      port: port, memory: store, kept: kept.registration, signing: oms.signing, timing: timing, sharing: share,
      mayAct: { share == nil || lease.isHeld })
    let watcher = TopicWatcher(
      services: ConnectorService.allCases, ask: TopicWatcher.ask(backends.channels), memory: store,
      startWait: configuration[GatewaySettings.registrationWait])
    var duties: [GatewayLeases.Duty] = []
    if let share {
      setup.run("registration") { await share.follow(registrar) }
      duties = [
        .init(
          key: "registration", work: { await share.lead(registrar, port == nil ? nil : watcher) },
          hold: { lease.hold(until: $0) })
      ]
    } else {
      setup.run("registration") { await registrar.run() }
      if port != nil {
        setup.run("subscriptions") { try await watcher.run(kept: kept.topics) { await registrar.subscribe(to: $0) } }
      }
    }
    setup.onReload("OMS secrets") {
      for name in try oms.reloadSecrets(.current) { Log.info("a secret has changed", ["setting": "\(name)"]) }
      Task { await registrar.secretsReloaded() }
    }
    GatewayService(
      registrar: registrar, applicationID: oms.applicationID, callbackURL: callbackURL, omsURL: oms.url ?? "",
      survey: CapabilitySurvey(channels: backends.channels)
    ).register(in: &setup.router)
    return (registrar, duties)
  }
}
