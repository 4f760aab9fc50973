import RPC
import Testing

@testable import ServiceKit

@Suite("Service command line")
struct CommandTests {
  @Test(
    "arguments",
    arguments: [
      ([], ServiceCommand.run), (["--check"], .check), (["--help"], .help), (["-h"], .help), (["--version"], .version),
      (["--help", "--nonsense"], .help), (["--check", "--help"], .help),
    ])
  func parses(arguments: [String], command: ServiceCommand) throws {
    #expect(try ServiceCommand(parsing: arguments) == command)
  }

  @Test("an unknown argument is refused with what is allowed", arguments: ["-x", "run", "", "--helpme"])
  func refuses(argument: String) {
    let message = "unknown argument \"\(argument)\"; allowed are --check, --help and --version"
    #expect(throws: ServiceCommand.UsageError(description: message)) { try ServiceCommand(parsing: [argument]) }
  }

  @Test("--help lists every setting with its meaning and default, secrets' files, and the exit codes")
  func help() {
    let service = ServiceDescription(
      name: "inventory", summary: "stock", listen: "unix:$STATE_DIR/inventory/1.sock",
      settings: [Setting.secret("OMS_SECRET", "the key").optional, Setting.url("OMS_URL", "the bus")])
    let text = HelpText.render(service)
    for part in [
      "inventory: stock\n", "  LISTEN\n", "default: unix:$STATE_DIR/inventory/1.sock", "  STATE_DIR\n", "  LOG_LEVEL\n",
      "  LOOPS\n", "  OMS_SECRET\n      the key\n", "default: none", "  OMS_URL\n", "required", "NAME_FILE=PATH",
      "  4  ",
    ] { #expect(text.contains(part), "\(part)") }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
  }

  @Test("addresses and targets are settings; a path that is too long says so, with the remedy")
  func addresses() throws {
    let listen = CommonSettings.listen(default: "unix:$STATE_DIR/x.sock")
    let target = Setting.target("INVENTORY_TARGET", "inventory", default: "unix-dir:$STATE_DIR/inventory")
    let configuration = try Configuration(
      [listen, target], environment: ["LISTEN": "unix:/a.sock, 127.0.0.1:0,[::1]:80"])
    #expect(
      configuration[listen] == [.unix(path: "/a.sock"), .tcp(host: "127.0.0.1", port: 0), .tcp(host: "::1", port: 80)])
    #expect(configuration[target] == .unixDirectory(".run/inventory"))
    let long = String(repeating: "x", count: 120)
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration([listen, target], environment: ["STATE_DIR": "/\(long)", "INVENTORY_TARGET": "nonsense"])
    }
    #expect(error?.problems.count == 2)
    #expect(error?.problems.first?.contains("/\(long)/x.sock") == true)
    #expect(error?.problems.first?.contains("the path has 128 bytes; a Unix socket's has at most 107") == true)
  }

  @Test(
    "a probe connects to this machine where a service listens on every address",
    arguments: [
      (Address.tcp(host: "0.0.0.0", port: 7), Address.tcp(host: "127.0.0.1", port: 7)),
      (.tcp(host: "::", port: 7), .tcp(host: "::1", port: 7)), (.unix(path: "/a"), .unix(path: "/a")),
    ])
  func reachable(listening: Address, connecting: Address) { #expect(HealthProbe.reachable(listening) == connecting) }
}
