import RPC

extension Setting where Value == [Address] {
  /// Where to listen: addresses, comma-separated, one at least.
  public static func addresses(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    let allowed = "addresses, comma-separated: unix:PATH or HOST:PORT"
    return Setting(name, meaning, allowed: allowed, default: `default`) { text throws(SettingError) in
      var addresses: [Address] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        addresses.append(try parseAddress(part) { text throws(AddressError) in try Address(parsing: text) })
      }
      return addresses
    }
  }
}

extension Setting where Value == Target {
  /// Whom to call, as a gRPC name.
  public static func target(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    let allowed = "unix:PATH, unix-dir:DIRECTORY, dns:///HOST:PORT or ipv4:ADDRESS:PORT,…"
    return Setting(name, meaning, allowed: allowed, default: `default`) { text throws(SettingError) in
      try parseAddress(text[...]) { text throws(AddressError) in try Target(parsing: text) }
    }
  }
}

/// The reason and the remedy of an address error, such as a socket's path that is too long, become the setting's.
private func parseAddress<Parsed>(
  _ text: Substring, _ parser: (String) throws(AddressError) -> Parsed
) throws(SettingError) -> Parsed {
  do {
    return try parser(text.filter { $0 != " " })
  } catch {
    throw SettingError("cannot be used: \(error.reason); \(error.remedy)")
  }
}
