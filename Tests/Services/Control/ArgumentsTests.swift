import EventLoop
import RPC
import ServiceKit
import Testing

@testable import Control

@Suite("omsctl command line")
struct ArgumentsTests {
  /// Runs a command line without a gateway.
  private func run(_ arguments: [String], _ environment: Environment = [:]) async -> (
    code: Int32, out: String, err: String
  ) {
    let captured = Captured()
    let code = await ControlMain.run(arguments, environment: environment, console: captured.console)
    return (code, captured.output, captured.error)
  }

  @Test(
    "a command line that cannot be used is exit code 2, with the reason",
    arguments: [
      ([], "no command"), (["stock", "frobnicate"], "unknown command \"stock frobnicate\""),
      (["frobnicate"], "unknown command \"frobnicate\""),
      (["status", "--frobnicate"], "unknown option \"--frobnicate\""), (["status", "-x"], "unknown option \"-x\""),
      (["status", "--remove"], "status has no option --remove"), (["status", "now"], "usage: omsctl status"),
      (["stock", "get", "A"], "usage: omsctl stock get AGGREGATE SKU; 1 argument is given"),
      (["stock", "list", "A", "--limit", "0"], "--limit: \"0\" is not a whole number above 0"),
      (["stock", "list", "A", "--limit"], "--limit needs a value"),
      (["report", "-o", "xml"], "--output: \"xml\" is not table or json"),
      (["report", "-ojson", "--output=json"], "--output is given twice"),
      (["report", "--kind", "x"], "--kind: \"x\" is not bus or grpc"),
      (
        ["report", "--since", "x"],
        "--since: \"x\" is not a duration such as 90m or 7d (units: ms, s, m, h, d), or a time such as 2024-02-03T04:05:06Z"
      ),
      (["report", "--timeout", "0s"], "--timeout: \"0s\" is not a duration such as 500ms, 10s or 5m"),
      (["register", "--remove=yes"], "--remove takes no value"),
    ])
  func unusable(arguments: [String], message: String) async {
    let result = await run(arguments)
    #expect(result.code == 2)
    #expect(result.out.isEmpty)
    #expect(result.err.hasPrefix("omsctl: \(message)"), "\(result.err)")
    #expect(result.err.hasSuffix("; see omsctl --help\n"))
  }

  @Test(
    "an address or a file that cannot be used is exit code 2 as well",
    arguments: [
      (["report", "--gateway", "nonsense"], "gateway nonsense: not an address: write unix:PATH or HOST:PORT"),
      (["stock", "apply", "/nowhere/x.json"], "cannot open /nowhere/x.json: No such file or directory"),
    ])
  func unusableFile(arguments: [String], message: String) async {
    let result = await run(arguments)
    #expect(result.code == 2)
    #expect(result.err.hasPrefix("omsctl: \(message)"), "\(result.err)")
  }

  @Test(
    "help and version are printed wherever they stand",
    arguments: [
      (["--help"], "usage: omsctl COMMAND"), (["-h"], "Exit codes:"),
      (["--help", "frobnicate"], "usage: omsctl COMMAND"),
      (["stock", "apply", "-h"], "usage: omsctl stock apply FILE"), (["--help", "report"], "--since TIME"),
      (["register", "--help"], "Registers the connector"), (["--version"], "omsctl \(Version.current)\n"),
    ])
  func help(arguments: [String], part: String) async {
    let result = await run(arguments)
    #expect(result.code == 0)
    #expect(result.out.contains(part))
    #expect(result.out.split(separator: "\n").allSatisfy { $0.count <= 120 })
  }

  @Test("options stand anywhere, with a blank or an equals sign; behind -- everything is a word")
  func options() throws {
    let grammar = Arguments.Grammar(valued: ["output", "limit"], flags: ["remove"], shortNames: ["o": "output"])
    for line in [
      ["a", "--output", "json", "b", "--remove"], ["-o", "json", "a", "--remove", "b"],
      ["-ojson", "--remove", "a", "b"],
      ["--output=json", "a", "b", "--remove"],
    ] {
      let parsed = try Arguments(line, grammar: grammar)
      #expect(parsed.words == ["a", "b"])
      #expect(parsed.values == ["output": "json"])
      #expect(parsed.flags == ["remove"])
    }
    #expect(try Arguments(["a", "--", "-x", "--remove"], grammar: grammar).words == ["a", "-x", "--remove"])
    #expect(try Arguments(["-"], grammar: grammar).words == ["-"])
    #expect(try Arguments(["--limit="], grammar: grammar).values == ["limit": ""])
  }

  @Test("the gateway is where the option, the environment or the default says")
  func gateway() throws {
    let environment: Environment = ["OMSCTL_GATEWAY": "h:2", "STATE_DIR": "/nowhere"]
    #expect(try GatewayTarget.find(option: "h:1", environment: environment) == .dns(host: "h", port: 1))
    #expect(try GatewayTarget.find(option: nil, environment: environment) == .dns(host: "h", port: 2))
    #expect(
      try GatewayTarget.find(option: nil, environment: ["STATE_DIR": "/nowhere"])
        == .dns(host: "127.0.0.1", port: 50051))
  }

  @Test(
    "durations have three digits and a unit",
    arguments: [
      (0.0, "0 µs"), (0.0123, "12 µs"), (0.9994, "999 µs"), (1, "1.00 ms"), (9.994, "9.99 ms"), (12.34, "12.3 ms"),
      (123.4, "123 ms"), (999.4, "999 ms"), (1000, "1.00 s"), (61_234, "61.2 s"), (1_234_567, "1235 s"),
    ])
  func durations(milliseconds: Double, text: String) { #expect(Milliseconds.format(milliseconds) == text) }
}
