/// The values of an executable's settings, checked once at the start.
public struct Configuration: Sendable {
  private let values: [String: any Sendable]

  /// Reads every setting, and reports everything that is wrong at once.
  public init(_ settings: [any DeclaredSetting], environment: Environment) throws(ConfigurationError) {
    var values: [String: any Sendable] = [:]
    var problems: [String] = []
    let stateDirectory =
      environment[CommonSettings.stateDirectory.name] ?? CommonSettings.stateDirectory.defaultText ?? "."
    for setting in settings {
      precondition(values[setting.name] == nil, "\(setting.name) is declared twice")
      do {
        values[setting.name] = try Self.read(setting, environment, stateDirectory)
      } catch {
        problems.append(error.description)
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    self.values = values
  }

  /// The value of a setting that this executable has declared.
  public subscript<Value>(_ setting: Setting<Value>) -> Value {
    guard let value = values[setting.name] as? Value else {
      preconditionFailure("\(setting.name) is read but not declared among the settings")
    }
    return value
  }

  private static func read(
    _ setting: any DeclaredSetting, _ environment: Environment, _ stateDirectory: String
  ) throws(ConfigurationProblem) -> any Sendable {
    let given = try environment.text(of: setting)
    let text = given ?? setting.defaultText.map { $0.replacing("$STATE_DIR", with: stateDirectory) }
    do {
      return try setting.value(of: text)
    } catch {
      throw ConfigurationProblem(setting, text, error.reason)
    }
  }
}

/// Everything that is wrong with a configuration, a line each.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A line for each: variable, value and what is allowed.
  public let problems: [String]
  public init(problems: [String]) { self.problems = problems }
  public var description: String { problems.joined(separator: "\n") }
}

/// One setting that cannot be used: the variable, its value – never a secret's – and what is allowed.
struct ConfigurationProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  init(_ setting: any DeclaredSetting, _ text: String?, _ reason: String?) {
    guard let text else {
      self.init("\(setting.name) is not set; set it to \(setting.allowed) (\(setting.meaning))")
      return
    }
    let shown = setting.isSecret ? "its value (not shown here)" : "\"\(Self.shorten(URLText.withoutPassword(text)))\""
    if let reason {
      self.init("\(setting.name): \(shown) \(reason); allowed is \(setting.allowed)")
    } else {
      self.init("\(setting.name): \(shown) is not \(setting.allowed)")
    }
  }

  private static func shorten(_ text: String) -> String {
    text.unicodeScalars.count > 200 ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(200))) + "…" : text
  }
}
