import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Testing

@testable import Control

@Suite("omsctl's commands of the journal")
struct JournalCommandTests {
  @Test(
    "wrong use is said before anybody is called",
    arguments: [
      (["journal", "list", "--status", "BROKEN"], "\"BROKEN\" is not one of PENDING, SUCCESS, IGNORED, ERROR, DEAD"),
      (["journal", "list", "--direction", "up"], "\"up\" is not in or out"),
      (["journal", "list", "--limit", "0"], "--limit: \"0\" is not a whole number above 0"),
      (["journal", "list", "--until", "soon"], "--until: \"soon\" is not a duration"),
      (["journal", "show", "x"], "\"x\" is no message's number"),
      (["journal", "show"], "usage: omsctl journal show ID"),
      (["journal", "replay"], "usage: omsctl journal replay ID"),
      (["journal", "replay", "7", "--status", "DEAD"], "an ID or a filter, not both"),
      (["journal", "discard", "7"], "needs --reason"), (["stock", "import", "x.csv"], "needs --aggregate"),
      (["journal", "list", "--since", "7w"], "units: ms, s, m, h, d"),
      (["jornal", "list"], "the nearest is \"journal list\""),
      (["jornal"], "the nearest is \"journal\""), (["frobnicate"], "unknown command \"frobnicate\"; see omsctl --help"),
      (["journal", "lst", "--key", "x"], "the nearest is \"journal list\""), ([], "no command; see omsctl --help"),
      (["journal"], "  journal replay ID | FILTER  "), (["stock"], "  stock list AGGREGATE"),
      (
        ["stock", "import", "x.csv", "--aggregate", "A", "--mode", "PARTIAL"],
        "\"PARTIAL\" is not one of FULL, DELTA, NONZERO"
      ),
      (["completion", "zsh"], "\"zsh\" is not bash"), (["queue", "--json", "-o", "table"], "contradict"),
    ])
  func wrongUse(arguments: [String], expected: String) async {
    let captured = Captured()
    let code = await ControlMain.run(arguments, environment: [:], console: captured.console)
    #expect(code == 2)
    #expect(captured.error.contains(expected), "\(captured.error)")
  }

  @Test("the commands of a group are listed on request")
  func group() async {
    let captured = Captured()
    #expect(await ControlMain.run(["journal", "--help"], environment: [:], console: captured.console) == 0)
    #expect(captured.output.hasPrefix("usage: omsctl journal COMMAND [options]\n\n  journal list [FILTER]"))
    #expect(!captured.output.contains("stock"))
  }

  @Test("a filter is what the options say")
  func filters() throws {
    let filter = try MessageFilterOptions.parse([
      "status": "error,DEAD", "direction": "out", "method": "m", "key": "k", "delivery-id": "\"7\"",
      "since": "2024-02-03T04:05:06Z",
    ])
    #expect(filter.statuses == [.error, .dead] && filter.direction == .outgoing)
    #expect(
      filter.method == "m" && filter.key == "k" && filter.deliveryId == "\"7\""
        && filter.since?.seconds == 1_706_933_106)
  }

  @Test("a bar goes from nothing to all, and never further")
  func bar() {
    #expect(
      ProgressBar.text(0, of: 200, unit: "rows").hasPrefix("[------------------------------]   0 %  0 of 200 rows"))
    #expect(ProgressBar.text(100, of: 200, unit: "rows").hasPrefix("[###############---------------]  50 %"))
    #expect(ProgressBar.text(500, of: 200, unit: "rows").hasPrefix("[##############################] 100 %"))
    #expect(ProgressBar.text(0, of: 0, unit: "rows").hasPrefix("[##############################] 100 %"))
  }

  @Test("a bar is shown on a terminal only, and taken away at the end")
  func barOnTerminal() {
    for isTerminal in [true, false] {
      let written = Lock("")
      let console = Console(isTerminal: false, showsProgress: isTerminal) { _, text in written.withLock { $0 += text } }
      var bar = ProgressBar(console, unit: "rows")
      for done in 0...10 { bar.show(Int64(done), of: 10) }
      bar.end()
      let text = written.withLock { $0 }
      #expect(isTerminal ? text.hasSuffix(" \r") && text.contains("100 %") : text.isEmpty)
    }
  }

  @Test(
    "ages",
    arguments: [
      (0, "0 s"), (119, "119 s"), (120, "2 m"), (7_199, "119 m"), (7_200, "2 h"), (172_800, "2 d"), (-5, "0 s"),
    ])
  func ages(seconds: Int64, expected: String) {
    #expect(Age.text(.init(seconds: 1_000_000 - seconds), now: 1_000_000) == expected)
  }

  @Test("texts of messages can't do anything to a terminal")
  func controls() {
    let message = Omsconnector.V1.JournalMessage(id: 7, status: .error, method: "m\u{1B}[2J", reason: "a\nb")
    let text = MessageTable.of([message]).render()
    #expect(text.contains("m\\u{1b}[2J") && text.contains("a\\nb") && text.split(separator: "\n").count == 2)
  }

  /// What bash offers where the cursor stands.
  private func offered(_ words: [String]) throws -> [String] {
    let path = "/tmp/omsctl-completion-\(getpid())-\(UInt32.random(in: .min ... .max))"
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    let script =
      BashCompletion.script
      + "COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); _omsctl; echo \"${COMPREPLY[*]}\"\n"
    let file = try #require(fopen(path, "w"))
    fputs(script, file)
    fclose(file)
    defer { unlink(path) }
    let pipe = try #require(popen("bash \(path) 2>&1", "r"))
    var output = ""
    while let line = readLine(from: pipe) { output += line }
    #expect(pclose(pipe) == 0)
    return output.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
  }

  private func readLine(from file: UnsafeMutablePointer<FILE>) -> String? {
    var buffer = [CChar](repeating: 0, count: 65_536)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test(
    "bash completes commands, options and statuses",
    arguments: [
      (["omsctl", "jo"], ["journal"]), (["omsctl", "journal", ""], ["list", "show", "tail", "replay", "discard"]),
      (["omsctl", "journal", "re"], ["replay"]), (["omsctl", "journal", "list", "--st"], ["--status"]),
      (["omsctl", "journal", "list", "--status", "D"], ["DEAD"]),
      (["omsctl", "dead", "--status", "DEAD,E"], ["DEAD,ERROR"]), (["omsctl", "queue", "--w"], ["--watch"]),
      (["omsctl", "--gateway", "x", "queue", "--w"], ["--watch"]),
      (["omsctl", "journal", "list", "--status", "=", "D"], ["DEAD"]), (["omsctl", "-o", "j"], ["json"]),
      (["omsctl", "dead", "--status", "="], ["PENDING", "SUCCESS", "IGNORED", "ERROR", "DEAD"]),
      (["omsctl", "--status", "=", "DEAD", "journal", "l"], ["list"]), (["omsctl", "queue", "in"], ["inventory"]),
      (["omsctl", "queue", "ev"], ["events"]), (["omsctl", "completion", "b"], ["bash"]),
      (["omsctl", "journal", "list", "--direction", ""], ["in", "out"]),
      (["omsctl", "stock", "import", "--mo"], ["--mode"]), (["omsctl", "journal", "list", "--method", ""], []),
    ])
  func completion(words: [String], expected: [String]) throws { #expect(try offered(words) == expected) }
}
