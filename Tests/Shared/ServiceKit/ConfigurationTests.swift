import Glibc
import Testing

@testable import ServiceKit

@Suite("Configuration")
struct ConfigurationTests {
  private static let url = Setting.url("OMS_URL", "the bus").optional
  private static let rows = Setting.integer("INVENTORY_BATCH", 1...100, "rows", default: "50")
  private static let wait = Setting.duration(
    "OMS_TIMEOUT", .milliseconds(100)...Duration.seconds(3600), "wait", default: "10s")
  private static let signed = Setting.bool("OMS_REQUIRE_SIGNATURE", "check", default: "true")
  private static let secret = Setting.secret("OMS_SECRET", "the key").optional
  private static let name = Setting.text("OMS_APPLICATION_ID", "id", default: "connector")
  private static let path = Setting.urlPath("OMS_REMOTE_PATH", "path", default: "/remote/oms")
  private static let all: [any DeclaredSetting] = [url, rows, wait, signed, secret, name, path]

  @Test("defaults hold when nothing is set, and an empty variable is not set")
  func defaults() throws {
    for environment: Environment in [[:], ["OMS_URL": "", "INVENTORY_BATCH": "", "OMS_SECRET": ""]] {
      let configuration = try Configuration(Self.all, environment: environment)
      #expect(configuration[Self.url] == nil)
      #expect(configuration[Self.rows] == 50)
      #expect(configuration[Self.wait] == .seconds(10))
      #expect(configuration[Self.signed])
      #expect(configuration[Self.secret] == nil)
    }
  }

  @Test("values are read by their kind")
  func values() throws {
    let configuration = try Configuration(
      Self.all,
      environment: [
        "OMS_URL": "https://oms.example.com/base/", "INVENTORY_BATCH": "100", "OMS_TIMEOUT": "500ms",
        "OMS_REQUIRE_SIGNATURE": "off", "OMS_SECRET": "s3cret",
      ])
    #expect(configuration[Self.url] == "https://oms.example.com/base")
    #expect(configuration[Self.rows] == 100)
    #expect(configuration[Self.wait] == .milliseconds(500))
    #expect(!configuration[Self.signed])
    #expect(configuration[Self.secret]?.reveal() == "s3cret")
  }

  @Test(
    "a bad value is reported with the variable, the value and what is allowed",
    arguments: [
      ("INVENTORY_BATCH", "many", #"INVENTORY_BATCH: "many" is not a whole number from 1 to 100"#),
      ("INVENTORY_BATCH", "0", #"INVENTORY_BATCH: "0" is not a whole number from 1 to 100"#),
      ("INVENTORY_BATCH", "101", #"INVENTORY_BATCH: "101" is not a whole number from 1 to 100"#),
      ("INVENTORY_BATCH", "1e1", #"INVENTORY_BATCH: "1e1" is not a whole number from 1 to 100"#),
      ("OMS_TIMEOUT", "10", #"OMS_TIMEOUT: "10" is not a duration from 100ms to 1h, such as 500ms, 10s, 5m or 2h"#),
      ("OMS_TIMEOUT", "-1s", #"OMS_TIMEOUT: "-1s" is not a duration from 100ms to 1h, such as 500ms, 10s, 5m or 2h"#),
      ("OMS_TIMEOUT", "2h", #"OMS_TIMEOUT: "2h" is not a duration from 100ms to 1h, such as 500ms, 10s, 5m or 2h"#),
      ("OMS_REQUIRE_SIGNATURE", "maybe", #"OMS_REQUIRE_SIGNATURE: "maybe" is not true or false"#),
      ("OMS_URL", "ftp://x", #"OMS_URL: "ftp://x" is not http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]"#),
      ("OMS_URL", "http://", #"OMS_URL: "http://" is not http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]"#),
      (
        "OMS_URL", "http://x:0/",
        #"OMS_URL: "http://x:0/" is not http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]"#
      ),
      (
        "OMS_URL", "http://me:hunter2@x",
        #"OMS_URL: "http://me:••••@x" has credentials in it, which belong into a secret setting; "#
          + "allowed is http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]"
      ),
      ("OMS_REMOTE_PATH", "remote", #"OMS_REMOTE_PATH: "remote" is not a path such as /remote/oms"#),
      (
        "OMS_APPLICATION_ID", "a\nb",
        "OMS_APPLICATION_ID: \"a\nb\" is not text of at most 4096 bytes without control characters"
      ),
    ])
  func badValue(name: String, value: String, message: String) {
    #expect(throws: ConfigurationError(problems: [message])) {
      try Configuration(Self.all, environment: [name: value])
    }
  }

  @Test("everything that is wrong is reported at once, and a required setting by its meaning")
  func allAtOnce() {
    let required = Setting.integer("INVENTORY_PORT", 1...9, "the port")
    #expect(
      throws: ConfigurationError(problems: [
        #"INVENTORY_BATCH: "x" is not a whole number from 1 to 100"#,
        "INVENTORY_PORT is not set; set it to a whole number from 1 to 9 (the port)",
      ])
    ) { try Configuration([Self.rows, required], environment: ["INVENTORY_BATCH": "x"]) }
  }

  @Test("$STATE_DIR in a default is the state directory")
  func stateDirectory() throws {
    let file = Setting.text("INVENTORY_FILE", "a file", default: "$STATE_DIR/inventory.sock")
    #expect(try Configuration([file], environment: [:])[file] == ".run/inventory.sock")
    #expect(try Configuration([file], environment: ["STATE_DIR": "/tmp/a"])[file] == "/tmp/a/inventory.sock")
  }

  @Test(
    "a secret comes from NAME_FILE without the newline at its end",
    arguments: [
      ("key", "key"), ("key\n", "key"), ("key\r\n", "key"), ("key\n\n", "key\n"), (" k ü\n", " k ü"),
    ])
  func secretFile(content: String, value: String) throws {
    try withFile(Array(content.utf8)) { path in
      let configuration = try Configuration([Self.secret], environment: ["OMS_SECRET_FILE": path])
      #expect(configuration[Self.secret]?.reveal() == value)
    }
  }

  @Test("a secret's problem names the variable and never the value")
  func secretProblems() throws {
    try withFile(Array("key".utf8)) { path in
      #expect(
        throws: ConfigurationError(problems: ["OMS_SECRET and OMS_SECRET_FILE are both set; set one of them"])
      ) { try Configuration([Self.secret], environment: ["OMS_SECRET": "hunter2", "OMS_SECRET_FILE": path]) }
    }
    let problem =
      "OMS_SECRET_FILE: cannot open \"/nowhere/key\": No such file or directory; name a file that this user can read"
    #expect(throws: ConfigurationError(problems: [problem])) {
      try Configuration([Self.secret], environment: ["OMS_SECRET_FILE": "/nowhere/key"])
    }
    for bytes in [
      [], Array("\n".utf8), [0xFF], [UInt8](repeating: 65, count: SecretFile.limit + 1), Array("hunter2\0".utf8),
    ] {
      try withFile(bytes) { path in
        let error = #expect(throws: ConfigurationError.self) {
          try Configuration([Self.secret], environment: ["OMS_SECRET_FILE": path])
        }
        #expect(error?.description.hasPrefix("OMS_SECRET") == true)
        #expect(error?.description.contains("hunter2") == false)
      }
    }
  }

  @Test("a variable like ours that nobody reads is named with the nearest known one")
  func strangers() {
    let environment: Environment = [
      "OMS_SECRT": "x", "GATEWAY_PORT": "tcp://10.0.0.1:1", "OMS_URL": "http://x", "OMS_SECRET_FILE": "f", "PATH": "x",
      "INVENTORY_BATCH": "1", "OMS_OLD": "",
    ]
    let strangers = KnownSettings.strangers(in: environment, declared: [Self.rows])
    #expect(strangers.map(\.name) == ["GATEWAY_PORT", "OMS_SECRT"])
    #expect(strangers.last?.nearest == "OMS_SECRET")
  }

  @Test(
    "durations are written in the largest unit that is exact",
    arguments: [
      ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("90s", .seconds(90)), ("2m", .seconds(120)),
      ("47h", .seconds(169_200)), ("2d", .seconds(172_800)),
      ("0s", .zero),
    ])
  func durations(text: String, duration: Duration) {
    #expect(DurationText.format(duration) == text)
    #expect(DurationText.parse(text) == duration)
  }

  @Test(
    "no duration",
    arguments: ["", "s", "1", "1 s", "1w", "-1s", "1.5s", "99999999999999999999s", "9223372036854775807h", "١s"])
  func noDuration(text: String) { #expect(DurationText.parse(text) == nil) }

  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    var template = Array("/tmp/servicekit-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
    try body(path)
  }
}
