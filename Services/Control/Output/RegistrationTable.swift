import Messages

/// The connector's place in the OMS, a line for each thing that is known.
enum RegistrationTable {
  static func of(_ registration: Omsconnector.V1.Registration) -> Table {
    var table = Table(.left("REGISTRATION"), .left(short(registration.state)))
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { table.add(name, value) }
    }
    if registration.wantedState != registration.state, registration.wantedState != .unspecified {
      add("wanted", short(registration.wantedState))
    }
    add("since", registration.stateSince?.text)
    add("application", registration.applicationId)
    add("OMS", registration.omsUrl)
    add("callback", registration.callbackUrl)
    add(registration.state == .registered ? "registered at" : "last registered", registration.registeredAt?.text)
    add("subscribed", registration.subscribedMethods.joined(separator: ", "))
    for away in registration.awayServices {
      let since = away.since.map { "since \($0.text)" } ?? ""
      add("service away", "\(away.service) \(since): subscribed for 48 hours, its messages wait")
    }
    add("labels", registration.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " "))
    if registration.failedAttempts > 0 { add("failed attempts", String(registration.failedAttempts)) }
    add("last error", registration.lastError)
    add("next attempt", registration.nextAttemptAt?.text)
    add("last check", registration.checkedAt.map { "\($0.text): \(registration.checkResult)" })
    add("next check", registration.nextCheckAt?.text)
    return table
  }

  private static func short(_ state: Omsconnector.V1.RegistrationState) -> String {
    EnumText.short(state, prefix: "REGISTRATION_STATE_")
  }
}

/// Names of enum values as people read them.
enum EnumText {
  /// Without the prefix that proto style demands; a number that has no name stays a number.
  static func short(_ value: some MessageEnum, prefix: String) -> String {
    let name = value.description
    return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }
}
