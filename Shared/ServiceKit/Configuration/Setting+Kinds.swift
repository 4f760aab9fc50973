extension Setting where Value == String {
  /// Any text of at most 4 096 bytes without control characters.
  public static func text(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    Setting(name, meaning, allowed: "text of at most 4096 bytes without control characters", default: `default`) {
      text throws(SettingError) in
      guard text.utf8.count <= 4096, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
      else { throw SettingError() }
      return text
    }
  }

  /// A URL with a host, such as `https://oms.example.com/base`; without a fragment, and without credentials, which
  /// belong into secrets. A slash at the end is dropped, so that paths can be appended.
  public static func url(
    _ name: String, _ meaning: String, schemes: [String] = ["http", "https"], default: String? = nil
  ) -> Setting {
    let allowed = schemes.map { $0 + "://HOST[:PORT][/PATH]" }.joined(separator: " or ")
    return Setting(name, meaning, allowed: allowed, default: `default`) { text throws(SettingError) in
      guard let url = URLText(text), schemes.contains(url.scheme) else { throw SettingError() }
      guard !url.hasCredentials else { throw SettingError("has credentials in it, which belong into a secret setting") }
      return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
  }

  /// A path that starts with a slash, such as `/remote/oms`: the part of a URL behind host and port.
  public static func urlPath(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    Setting(name, meaning, allowed: "a path such as /remote/oms", default: `default`) { text throws(SettingError) in
      guard text.hasPrefix("/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#") else {
        throw SettingError()
      }
      return text
    }
  }

  /// A directory; a slash at the end is dropped.
  public static func directory(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    Setting(name, meaning, allowed: "the path of a directory", default: `default`) { text throws(SettingError) in
      guard !text.utf8.contains(where: { $0 < 0x20 }) else { throw SettingError() }
      return text.utf8.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }
  }
}

extension Setting where Value == String {
  /// A file, whose contents are read by whoever needs them.
  public static func file(_ name: String, _ meaning: String) -> Setting {
    Setting(name, meaning, allowed: "the path of a file") { text throws(SettingError) in
      guard !text.utf8.contains(where: { $0 < 0x20 }) else { throw SettingError() }
      return text
    }
  }
}

extension Setting where Value == [String] {
  /// Names, comma-separated, one at least; blanks around them do not count.
  public static func names(_ name: String, _ meaning: String) -> Setting {
    Setting(name, meaning, allowed: "names, comma-separated") { text throws(SettingError) in
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
      guard !names.contains(""), names.allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }) else {
        throw SettingError()
      }
      return names
    }
  }
}

extension Setting where Value == Bool {
  /// `true` or `false`; also 1, 0, yes, no, on, off.
  public static func bool(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    Setting(name, meaning, allowed: "true or false", default: `default`) { text throws(SettingError) in
      switch text.lowercased() {
      case "true", "1", "yes", "on": return true
      case "false", "0", "no", "off": return false
      default: throw SettingError()
      }
    }
  }
}

extension Setting where Value == Int {
  /// A whole number within `range`.
  public static func integer(
    _ name: String, _ range: ClosedRange<Int>, _ meaning: String, default: String? = nil
  ) -> Setting {
    let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return Setting(name, meaning, allowed: allowed, default: `default`) { text throws(SettingError) in
      guard let number = Int(text), range.contains(number) else { throw SettingError() }
      return number
    }
  }
}

extension Setting where Value == Duration {
  /// A whole number and its unit: `500ms`, `10s`, `5m`, `48h`.
  public static func duration(
    _ name: String, _ range: ClosedRange<Duration>, _ meaning: String, default: String? = nil
  ) -> Setting {
    let bounds = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
    let allowed = "a duration \(bounds), such as 500ms, 10s, 5m or 2h"
    return Setting(name, meaning, allowed: allowed, default: `default`) { text throws(SettingError) in
      guard let duration = DurationText.parse(text), range.contains(duration) else { throw SettingError() }
      return duration
    }
  }
}

extension Setting where Value == Secret {
  /// A value that is never shown; NAME_FILE may name a file that holds it, at most 64 KiB.
  public static func secret(_ name: String, _ meaning: String) -> Setting {
    Setting(name, meaning, allowed: "text without NUL", isSecret: true) { text throws(SettingError) in
      guard !text.utf8.contains(0) else { throw SettingError() }
      return Secret(text)
    }
  }
}

extension Setting where Value == LogLevel {
  /// `debug`, `info`, `warning` or `error`.
  static func logLevel(_ name: String, _ meaning: String, default: String? = nil) -> Setting {
    let allowed = LogLevel.allCases.map(\.description).joined(separator: ", ")
    return Setting(name, meaning, allowed: "one of \(allowed)", default: `default`) { text throws(SettingError) in
      guard let level = LogLevel.allCases.first(where: { $0.description == text.lowercased() }) else {
        throw SettingError()
      }
      return level
    }
  }
}
