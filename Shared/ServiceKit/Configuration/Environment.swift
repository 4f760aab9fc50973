import CSystem
import Glibc

/// Environment variables by name. One that is set to nothing counts as not set, because `NAME=` is how compose files
/// and unit files take a variable away.
public struct Environment: Sendable, ExpressibleByDictionaryLiteral {
  private let values: [String: String]

  public init(_ values: [String: String]) { self.values = values }

  public init(dictionaryLiteral elements: (String, String)...) {
    values = Dictionary(elements) { first, _ in first }
  }

  /// This process's own.
  public static var current: Environment {
    var values: [String: String] = [:]
    guard var entry = csystem_environment() else { return Environment([:]) }
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, values[String(parts[0])] == nil { values[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return Environment(values)
  }

  /// Of the variables that are set, sorted.
  public var names: [String] { values.filter { !$0.value.isEmpty }.keys.sorted() }

  /// nil when it is not set, or set to nothing.
  public subscript(_ name: String) -> String? {
    guard let value = values[name], !value.isEmpty else { return nil }
    return value
  }

  /// The setting's variable, or what the file holds that NAME_FILE names when it is a secret.
  func text(of setting: any DeclaredSetting) throws(ConfigurationProblem) -> String? {
    guard setting.isSecret, let path = self[setting.name + "_FILE"] else { return self[setting.name] }
    guard self[setting.name] == nil else {
      throw ConfigurationProblem("\(setting.name) and \(setting.name)_FILE are both set; set one of them")
    }
    do {
      return try SecretFile.read(path)
    } catch {
      throw ConfigurationProblem("\(setting.name)_FILE: \(error)")
    }
  }
}
