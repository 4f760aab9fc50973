/// One environment variable that an executable reads: its name, what it means, and how its text becomes a value.
///
/// Declare settings once, as constants, and read them from a ``Configuration``:
///
///     static let batch = Setting.integer("INVENTORY_BATCH", 1...10_000, "rows committed together", default: "500")
///     let rows = configuration[batch]
///
/// Without a default and without ``optional`` a setting is required. A variable that is set to nothing counts as not
/// set.
public struct Setting<Value: Sendable>: Sendable, DeclaredSetting {
  public let name: String
  public let meaning: String
  public let defaultText: String?
  public let allowed: String
  public let isSecret: Bool
  public let isRequired: Bool
  let parse: @Sendable (String) throws(SettingError) -> Value
  private let absent: Value?

  /// - Parameters:
  ///   - name: the variable, e.g. `LOOPS`.
  ///   - meaning: a phrase for `--help`.
  ///   - allowed: what a value may be, to complete "… is not", e.g. `true or false`.
  ///   - default: as it would stand in the environment; `$STATE_DIR` in it is replaced.
  ///   - isSecret: the value is never shown, and may come from the file that NAME_FILE names.
  public init(
    _ name: String, _ meaning: String, allowed: String, default: String? = nil, isSecret: Bool = false,
    parse: @escaping @Sendable (String) throws(SettingError) -> Value
  ) {
    self.init(name, meaning, allowed, `default`, isSecret, isRequired: `default` == nil, absent: nil, parse)
  }

  private init(
    _ name: String, _ meaning: String, _ allowed: String, _ defaultText: String?, _ isSecret: Bool, isRequired: Bool,
    absent: Value?, _ parse: @escaping @Sendable (String) throws(SettingError) -> Value
  ) {
    self.name = name
    self.meaning = meaning
    self.allowed = allowed
    self.defaultText = defaultText
    self.isSecret = isSecret
    self.isRequired = isRequired
    self.absent = absent
    self.parse = parse
  }

  /// The same setting where nothing set means nil.
  public var optional: Setting<Value?> {
    let parse = parse
    return Setting<Value?>(
      name, meaning, allowed, defaultText, isSecret, isRequired: false, absent: .some(nil)
    ) { text throws(SettingError) in try parse(text) }
  }

  public func value(of text: String?) throws(SettingError) -> any Sendable {
    if let text { return try parse(text) }
    guard let absent else { throw SettingError("is required") }
    return absent
  }
}

/// A setting whose type of value does not matter: for lists, help and checks.
public protocol DeclaredSetting: Sendable {
  var name: String { get }
  /// A phrase for `--help`.
  var meaning: String { get }
  /// As it would stand in the environment; `$STATE_DIR` in it is replaced.
  var defaultText: String? { get }
  /// What a value may be.
  var allowed: String { get }
  var isSecret: Bool { get }
  var isRequired: Bool { get }
  /// Checks and converts the variable's text, or gives the value for nothing set.
  func value(of text: String?) throws(SettingError) -> any Sendable
}

/// Why a text is no value of its setting; `reason` follows the value, when it is more than "not allowed".
public struct SettingError: Error, Sendable, Equatable {
  public let reason: String?
  public init(_ reason: String? = nil) { self.reason = reason }
}
