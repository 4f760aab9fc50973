import HTTP
import ServiceKit
import Testing

@testable import Gateway

@Suite struct OMSConfigurationTests {
  private func read(_ environment: [String: String]) throws(ConfigurationError) -> OMSConfiguration {
    try OMSConfiguration(try Configuration(GatewaySettings.all, environment: Environment(environment)))
  }

  @Test("nothing set: no OMS, no signature")
  func empty() throws {
    let oms = try read([:])
    #expect(oms.url == nil && !oms.requiresSignature && oms.signing == nil && oms.applicationID == "connector")
    #expect(oms.connection(callbackURL: "x") == nil)
    #expect(
      oms.callbackURL(at: HTTPAddress(host: "127.0.0.1", port: 8080)) == "http://127.0.0.1:8080/service-bus")
  }

  @Test("a secret makes signatures required unless told otherwise")
  func signature() throws {
    let oms = try read(["OMS_SECRET": "s"])
    #expect(oms.requiresSignature && oms.signing?.current.secret == Secret("s"))
    let tolerant = try read(["OMS_SECRET": "s", "OMS_REQUIRE_SIGNATURE": "false"])
    #expect(!tolerant.requiresSignature && tolerant.signing?.current.secret == Secret("s"))
  }

  @Test("the OAuth server is the OMS unless told otherwise")
  func oauth() throws {
    let client = ["OMS_URL": "http://oms/api/", "OMS_OAUTH_CLIENT_ID": "c", "OMS_OAUTH_CLIENT_SECRET": "x"]
    let connection = try read(client).connection(callbackURL: "u")
    #expect(connection?.oauth?.serverURL == "http://oms/api" && connection?.url == "http://oms/api")
    let other = client.merging(["OMS_OAUTH_SERVER_URL": "http://auth"]) { $1 }
    #expect(try read(other).connection(callbackURL: "u")?.oauth?.serverURL == "http://auth")
    #expect(try read(["OMS_URL": "http://oms"]).connection(callbackURL: "u")?.oauth == nil)
  }

  @Test("secrets that are read again replace those of before; what can't be read changes nothing")
  func reload() throws {
    let before = [
      "OMS_SECRET": "s", "OMS_URL": "http://oms", "OMS_OAUTH_CLIENT_ID": "c", "OMS_OAUTH_CLIENT_SECRET": "x",
    ]
    let oms = try read(before)
    let connection = try #require(oms.connection(callbackURL: "u"))
    #expect(try oms.reloadSecrets(Environment(before)).isEmpty)
    let after = before.merging(["OMS_SECRET": "t", "OMS_OAUTH_CLIENT_SECRET": "y"]) { $1 }
    #expect(try oms.reloadSecrets(Environment(after)) == ["OMS_SECRET", "OMS_OAUTH_CLIENT_SECRET"])
    #expect(connection.signing?.current.secret == Secret("t") && connection.signing?.current.generation == 1)
    #expect(connection.oauth?.secret.current == Secret("y"))
    let error = #expect(throws: ConfigurationError.self) {
      try oms.reloadSecrets(["OMS_SECRET_FILE": "/nowhere/secret"])
    }
    #expect(error?.description.contains("OMS_SECRET_FILE") == true)
    #expect(connection.signing?.current.secret == Secret("t"))
  }

  @Test(
    "combinations that make no sense stop the start and name the settings",
    arguments: [
      (["OMS_REQUIRE_SIGNATURE": "true"], "OMS_SECRET"),
      (["OMS_OAUTH_CLIENT_ID": "c", "OMS_URL": "http://oms"], "OMS_OAUTH_CLIENT_SECRET"),
      (["OMS_OAUTH_CLIENT_SECRET": "c", "OMS_URL": "http://oms"], "OMS_OAUTH_CLIENT_ID"),
      (["OMS_OAUTH_CLIENT_ID": "c", "OMS_OAUTH_CLIENT_SECRET": "x"], "OMS_URL"),
      (["OMS_URL": "http://oms", "GATEWAY_HTTP": "0.0.0.0:8080"], "CONNECTOR_CALLBACK_URL"),
      (["GATEWAY_HTTP": "8080"], "GATEWAY_HTTP"),
      (["GATEWAY_ADMIN": "host:70000"], "GATEWAY_ADMIN"),
      (["OMS_URL": "oms"], "OMS_URL"),
      (["INVENTORY_TARGET": "ftp:x"], "INVENTORY_TARGET"),
    ])
  func combinations(environment: [String: String], setting: String) {
    let error = #expect(throws: ConfigurationError.self) { try read(environment) }
    #expect(error?.problems.count == 1 && error?.description.contains(setting) == true, "\(String(describing: error))")
  }
}
