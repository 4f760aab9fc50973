/// The text of a service's `--help`.
enum HelpText {
  static func render(_ service: ServiceDescription) -> String {
    var lines = [
      "\(service.name): \(service.summary)", "",
      "usage: \(service.name)              run until SIGTERM or SIGINT",
      "       \(service.name) --check      ask the one that runs with the same settings whether it is healthy",
      "       \(service.name) --help | --version", "",
      "Settings, read from the environment. A variable set to nothing counts as not set.",
    ]
    for setting in service.settings { lines += describe(setting) }
    if service.settings.contains(where: \.isSecret) {
      lines += ["", "A secret NAME can be given in a file instead: NAME_FILE=PATH."]
    }
    lines += ["", "Exit codes:"]
    lines += ExitCode.allCases.map { "  \($0.rawValue)  \($0.meaning)" }
    lines += ["", "Logs are JSON objects, one a line, on standard error."]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func describe(_ setting: any DeclaredSetting) -> [String] {
    var lines = ["  \(setting.name)", "      \(setting.meaning)", "      \(setting.allowed)"]
    if let text = setting.defaultText {
      lines.append("      default: \(text)")
    } else {
      lines.append(setting.isRequired ? "      required" : "      default: none")
    }
    return lines
  }
}
