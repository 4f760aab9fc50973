import Glibc
import Messages
import Storage
import Testing

@testable import Control

@Suite("omsctl backup and restore")
struct BackupCommandTests {
  private static let manifest = BackupManifest(
    version: "0.1.0", engine: .sqlite, createdAt: .init(seconds: 1_706_933_106),
    stores: [.init(service: "gateway", schemaVersion: 7, file: "gateway.sqlite")],
    files: [.init(name: "gateway.sqlite", digest: .init(bytes: 4096, sha256: "0a"))])

  @Test("a manifest is read as it was written")
  func manifest() throws {
    let json = Self.manifest.json
    #expect(
      json == #"{"format":1,"version":"0.1.0","engine":"sqlite","created_at":"2024-02-03T04:05:06Z","#
        + #""stores":[{"service":"gateway","schema_version":7,"file":"gateway.sqlite"}],"#
        + #""files":[{"name":"gateway.sqlite","bytes":4096,"sha256":"0a"}]}"# + "\n")
    #expect(try BackupManifest(parsing: Array(json.utf8)) == Self.manifest)
  }

  @Test(
    "a manifest that can't be true, or that this version does not know, is refused with what to do",
    arguments: [
      (#""format":1"#, #""format":2"#, "has format 2, this omsctl knows 1: take the version that made it"),
      (#""format":1,"#, "", "is not the manifest of a backup"),
      (#""engine":"sqlite""#, #""engine":"oracle""#, "is not whole"),
      (
        #""service":"gateway""#, #""service":"billing""#,
        "\"billing\", which this omsctl does not know: take a newer one"
      ),
      (#""file":"gateway.sqlite""#, #""file":"../gateway.sqlite""#, "in \"../gateway.sqlite\", where it can't be"),
      (#""name":"gateway.sqlite""#, #""name":"other""#, "is not whole"),
      (#"[{"service":"gateway","schema_version":7,"file":"gateway.sqlite"}]"#, "[]", "is not whole"),
      ("2024-02-03", "yesterday", "is not a date and time"),
    ])
  func refused(part: String, replacement: String, words: String) throws {
    let json = Self.manifest.json.replacing(part, with: replacement)
    #expect(json != Self.manifest.json)
    do {
      _ = try BackupManifest(parsing: Array(json.utf8))
      Issue.record("it was taken")
    } catch {
      #expect("\(error)".contains(words))
    }
  }

  @Test("a DATABASE_URL that can't be used is named; nothing is made")
  func badURL() async throws {
    let captured = Captured()
    let path = "/tmp/omsctl-backup-\(getpid())"
    let code = await ControlMain.run(
      ["backup", path], environment: ["DATABASE_URL": "mysql://oms:s3cret@host/shop"], console: captured.console)
    #expect(code == 2)
    #expect(captured.error.hasPrefix("omsctl: DATABASE_URL: its value (not shown here) is not sqlite:DIR or "))
    #expect(access(path, F_OK) != 0 && access(path + ".part", F_OK) != 0)
  }

  @Test("both take the directory, and nothing else", arguments: ["backup", "restore"])
  func arguments(command: String) async throws {
    let captured = Captured()
    #expect(await ControlMain.run([command], environment: [:], console: captured.console) == 2)
    #expect(captured.error.contains("usage: omsctl \(command) DIRECTORY; no arguments are given"))
  }
}
