import Messages

/// The connector's place in the OMS, a line for each thing that is known.
enum RegistrationTable {
  static func of(_ registration: Omsconnector.V1.Registration) -> Table {
    var table = Table(.left("REGISTRATION"), .left(EnumText.short(registration.state, prefix: "REGISTRATION_STATE_")))
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { table.add(name, value) }
    }
    add("application", registration.applicationId)
    add("OMS", registration.omsUrl)
    add("callback", registration.callbackUrl)
    let isRegistered = registration.state == .registered
    add(isRegistered ? "registered at" : "last registered", registration.registeredAt?.text)
    if isRegistered { add("subscribed", registration.subscribedMethods.joined(separator: ", ")) }
    if registration.failedAttempts > 0 { add("failed attempts", String(registration.failedAttempts)) }
    add("last error", registration.lastError)
    add("next attempt", registration.nextAttemptAt?.text)
    return table
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
