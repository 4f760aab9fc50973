/// The texts of `--help`.
enum ControlHelp {
  static var overview: String {
    """
    omsctl: asks and tells the connector's gateway

    usage: omsctl COMMAND [options]

    \(list(Commands.all))
    \(commonOptions)
    Exit codes:
      0  done
      1  the call failed: its status and reason are on standard error; status: something is not healthy
      2  the command line or a file cannot be used

    """
  }

  /// The commands that begin with a word; nil when none does.
  static func of(group word: String) -> String? {
    let commands = Commands.group(word)
    guard !commands.isEmpty else { return nil }
    return """
      usage: omsctl \(word) COMMAND [options]

      \(list(commands))
      omsctl \(word) COMMAND --help says more.

      """
  }

  private static func list(_ commands: [any Command.Type]) -> String {
    let width = commands.map { usage($0).count }.max() ?? 0
    return commands.map { command in
      "  \(usage(command))\(String(repeating: " ", count: width - usage(command).count))  \(command.summary)\n"
    }.joined()
  }

  static func of(_ command: any Command.Type) -> String {
    """
    usage: omsctl \(usage(command)) [options]

    \(capitalized(command.summary)).
    \(command.details.isEmpty ? "" : "\n" + command.details)
    \(commonOptions)
    """
  }

  private static let commonOptions = """
    Options of every command:
      -o, --output table|json  how results are shown: a table, or the reply as JSON; default: table
      --json                   the same as --output json
      --gateway ADDRESS        unix:PATH, HOST:PORT or another gRPC name; default: \(GatewayTarget.variable), else
                               unix:$STATE_DIR/gateway.sock if there is one, else \(GatewayTarget.fallback)
      --timeout DURATION       how long a call may take, e.g. 500ms, 10s, 5m
      --token-file FILE        the bearer token that a gateway on TCP asks for; default: OMSCTL_TOKEN
      --ca-file FILE           TCP over TLS, with these CAs (PEM), or system for the usual; default: OMSCTL_CA_FILE
      --certificate-file FILE  shown to a gateway that asks for a certificate (PEM); default: OMSCTL_CERTIFICATE_FILE
      --key-file FILE          the certificate's key (PEM); default: OMSCTL_KEY_FILE
      --version, --help        --help works behind each command as well
      --                       what follows is no option, even if it begins with a dash

    """

  private static func usage(_ command: any Command.Type) -> String {
    (command.path + [command.arguments]).filter { !$0.isEmpty }.joined(separator: " ")
  }

  private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
