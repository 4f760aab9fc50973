import HTTP
import ServiceKit
import Testing

@testable import Gateway

@Suite("signing secrets")
struct SigningSecretsTests {
  private let time = InventedTime()

  private func secrets() -> SigningSecrets {
    let time = time
    return SigningSecrets(Secret("old"), now: { time.instant })
  }

  private func accepts(_ secrets: SigningSecrets, _ key: String) -> Bool {
    let body = Array(#"{"a":1}"#.utf8)
    let signature = "sha1=" + HMAC.sha1Hex(key: Array(key.utf8), message: body)
    let request = HTTPRequest(
      method: "POST", target: "/service-bus", headers: ["X-Signature": signature], body: body)
    return CallbackSignature(requiringOneOf: secrets).refusal(request) == nil
  }

  @Test("until the OMS has a secret of ours, a message with an unknown signature is to come again")
  func unsettled() {
    let secrets = secrets()
    func mayPass(registers: Bool) -> Bool? {
      let signature = CallbackSignature(requiringOneOf: secrets, registers: registers)
      var request = HTTPRequest(method: "POST", target: "/service-bus")
      request.headers["X-Signature"] = "sha1=00"
      return signature.refusal(request)?.mayPass
    }
    #expect(mayPass(registers: true) == true && mayPass(registers: false) == false)
    let unsigned = CallbackSignature(requiringOneOf: secrets, registers: true)
    #expect(unsigned.refusal(HTTPRequest(method: "POST", target: "/service-bus"))?.mayPass == false)
    secrets.registered(0)
    #expect(mayPass(registers: true) == false)
    // Whatever the OMS signs with from now on is known.
    #expect(secrets.replace(with: Secret("new")))
    #expect(mayPass(registers: true) == false)
  }

  @Test("the secret of before is good until the OMS has the new one, and for ten minutes after")
  func rotation() {
    let secrets = secrets()
    secrets.registered(0)
    #expect(!accepts(secrets, "new"))
    #expect(secrets.replace(with: Secret("new")) && secrets.current.generation == 1)
    time.advance(by: .seconds(1_000_000))
    #expect(accepts(secrets, "old") && accepts(secrets, "new") && !accepts(secrets, "other"))
    secrets.registered(1)
    time.advance(by: SigningSecrets.grace - .milliseconds(1))
    #expect(accepts(secrets, "old"))
    // Registering again does not lengthen it.
    secrets.registered(1)
    time.advance(by: .milliseconds(1))
    #expect(!accepts(secrets, "old") && accepts(secrets, "new"))
    #expect(secrets.all == [Secret("new")])
  }

  @Test("the same secret read again is no change")
  func same() {
    let secrets = secrets()
    #expect(!secrets.replace(with: Secret("old")) && secrets.current.generation == 0 && secrets.keys.count == 1)
  }

  @Test("a registration that was under way with the secret of before ends nothing")
  func late() {
    let secrets = secrets()
    #expect(secrets.replace(with: Secret("new")))
    secrets.registered(0)
    time.advance(by: .seconds(10_000))
    #expect(accepts(secrets, "old") && accepts(secrets, "new"))
  }

  @Test("of many secrets while the OMS is away the newest are kept, and the one that it has")
  func many() {
    let secrets = secrets()
    secrets.registered(0)
    for number in 1...10 { #expect(secrets.replace(with: Secret("s\(number)"))) }
    #expect(secrets.keys.count == SigningSecrets.limit)
    #expect(["old", "s8", "s9", "s10"].allSatisfy { accepts(secrets, $0) } && !accepts(secrets, "s7"))
  }
}
