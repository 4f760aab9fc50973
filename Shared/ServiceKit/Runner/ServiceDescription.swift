import RPC

/// What an executable says about itself before it runs.
public struct ServiceDescription: Sendable {
  /// As in logs, reports and file names: `inventory`, `post-sales`.
  public let name: String
  /// What it does, for the first line of `--help`.
  public let summary: String
  /// What it reads from the environment: the common settings first, then its own, then those of TLS.
  public let settings: [any DeclaredSetting]
  let listen: Setting<[Address]>

  /// - Parameter listen: where it serves unless LISTEN says otherwise; `$STATE_DIR/NAME.sock` when not given.
  public init(name: String, summary: String, listen: String? = nil, settings: [any DeclaredSetting] = []) {
    self.name = name
    self.summary = summary
    self.listen = CommonSettings.listen(default: listen ?? "unix:$STATE_DIR/\(name).sock")
    self.settings =
      [self.listen, CommonSettings.stateDirectory, CommonSettings.logLevel, CommonSettings.loops]
      + settings + TLSSettings.all
  }
}

/// The version of all executables.
public enum Version {
  public static let current = "0.1.0"
}
