import EventLoop
import TestSupport
import Testing

@testable import Gateway

@Suite struct MaskingTests {
  private func shown(_ text: String, limit: Int = MaskedText.limit) -> String {
    MaskedText(Array(text.utf8), limit: limit).text
  }

  @Test(
    "JSON: what a name gives away is masked, all else stays as it was written",
    arguments: [
      (#"{"client_secret": "abc", "sku": "MUG"}"#, #"{"client_secret": "***", "sku": "MUG"}"#),
      (#"{"clientSecret":"abc","Access-Token":"x"}"#, #"{"clientSecret":"***","Access-Token":"***"}"#),
      (
        #"{"authorization":"Bearer x","authorization_status":"AUTHORIZED"}"#,
        #"{"authorization":"***","authorization_status":"AUTHORIZED"}"#
      ),
      (
        #"{"password":null,"token":true,"pin":1234,"secret":""}"#,
        #"{"password":null,"token":true,"pin":"***","secret":""}"#
      ),
      (
        #"{"credentials":{"user":"u","x":[1,{"y":"z"}]},"a":1}"#,
        #"{"credentials":{"user":"***","x":["***",{"y":"***"}]},"a":1}"#
      ),
      (#"{"p\u0061ssword":"abc"}"#, #"{"p\u0061ssword":"***"}"#),
      (
        #"{"card_number":"4111 1111 1111 1111","cvv":"737","cc_last4":"1111"}"#,
        #"{"card_number":"***1111","cvv":"***","cc_last4":"1111"}"#
      ),
      (
        #"{"card":{"type":"VISA","number":"4111111111111111","holder":"A B"},"cc_type":"VI"}"#,
        #"{"card":{"type":"VISA","number":"***1111","holder":"***"},"cc_type":"VI"}"#
      ),
      (#"{"iban":"DE89370400440532013000","bank_name":"B"}"#, #"{"iban":"***3000","bank_name":"B"}"#),
      (
        #"{"account":"1234567890","x":{"account":{"email":"a@b.c"}}}"#,
        #"{"account":"***7890","x":{"account":{"email":"a@b.c"}}}"#
      ),
      (
        #"{"amount": 4.20, "big": 12345678901234567890, "qty": 1e3}"#,
        #"{"amount": 4.20, "big": 12345678901234567890, "qty": 1e3}"#
      ),
      (#"[]"#, "[]"), (#"{"a":{},"b":[[],[1]]}"#, #"{"a":{},"b":[[],[1]]}"#), (#""text""#, #""text""#),
    ])
  func names(json: String, expected: String) { #expect(shown(json) == expected) }

  @Test(
    "gift cards show amounts and the last four characters of their codes only",
    arguments: [
      (
        #"{"gift_cards":[{"id":1,"code":"ABCD-EFGH-1234","amount":10.00}],"gift_cards_amount":10}"#,
        #"{"gift_cards":[{"id":1,"code":"***1234","amount":10.00}],"gift_cards_amount":10}"#
      ),
      (
        #"{"gift_cards":[{"id":1,"code_last4":"1234","amount":1,"base_amount":1}]}"#,
        #"{"gift_cards":[{"id":1,"code_last4":"1234","amount":1,"base_amount":1}]}"#
      ),
      (
        #"{"name":"gift_cards","value":"[{\"i\":7,\"c\":\"01GIFTCARDXYZ\",\"a\":5}]"}"#,
        #"{"name":"gift_cards","value":"[{\"i\":7,\"c\":\"***DXYZ\",\"a\":5}]"}"#
      ),
      (
        #"{"value":[{"code":"01GIFTCARDXYZ","amount":5}],"attribute_code":"gift_cards"}"#,
        #"{"value":[{"code":"***DXYZ","amount":5}],"attribute_code":"gift_cards"}"#
      ),
      (#"{"gift_cards":["ABCD-EFGH-1234","SHORT"]}"#, #"{"gift_cards":["***1234","***"]}"#),
      (
        #"{"giftCardCode":"ABCD-EFGH-1234","gift_card_account_id":3}"#,
        #"{"giftCardCode":"***1234","gift_card_account_id":3}"#
      ),
    ])
  func giftCards(json: String, expected: String) { #expect(shown(json) == expected) }

  @Test(
    "attributes are pairs: name and value in either order, deep values included",
    arguments: [
      (#"{"attribute_code":"cvv","value":"123"}"#, #"{"attribute_code":"cvv","value":"***"}"#),
      (#"{"value":"123","attribute_code":"cvv"}"#, #"{"value":"***","attribute_code":"cvv"}"#),
      (
        #"[{"value":{"a":["x"]},"name":"api_key"},{"value":1,"name":"qty"}]"#,
        #"[{"value":{"a":["***"]},"name":"api_key"},{"value":1,"name":"qty"}]"#
      ),
      (#"{"value":"kept"}"#, #"{"value":"kept"}"#),
    ])
  func pairs(json: String, expected: String) { #expect(shown(json) == expected) }

  @Test(
    "card numbers, IBANs, tokens and passwords in any value, and in JSON within JSON",
    arguments: [
      (#"{"comment":"my card is 4111-1111-1111-1111, thanks"}"#, #"{"comment":"my card is ***1111, thanks"}"#),
      (
        #"{"n":4111111111111111,"f":4111111111111111.0,"e":4.111111111111111e15}"#,
        #"{"n":"***1111","f":"***1111","e":"***1111"}"#
      ),
      (#"{"n":4111111111111112,"f":19.989999999999998}"#, #"{"n":4111111111111112,"f":19.989999999999998}"#),
      (#"{"x":"2 4111111111111111"}"#, #"{"x":"2 ***1111"}"#),
      (#"{"x":"\u0034111111111111111"}"#, #"{"x":"***1111"}"#),
      (#"{"4111111111111111":1}"#, #"{"***1111":1}"#),
      (#"{"x":"378282246310005 and 6304000000000000000"}"#, #"{"x":"***0005 and ***0000"}"#),
      (
        #"{"x":"IBAN GB82 WEST 1234 5698 7654 32 or DE89370400440532013001"}"#,
        #"{"x":"IBAN ***4 32 or DE89370400440532013001"}"#
      ),
      (#"{"header":"Authorization: Bearer abcdefghijkl"}"#, #"{"header":"Authorization: ***"}"#),
      (#"{"url":"https://me:hunter2@host/x?token=abc&a=1"}"#, #"{"url":"https://me:***@host/x?token=***&a=1"}"#),
      (#"{"jwt_":1,"x":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"}"#, #"{"jwt_":"***","x":"***"}"#),
      (
        #"{"payload":"{\"password\":\"abc\",\"a\":\"{\\\"token\\\":\\\"t\\\"}\"}"}"#,
        #"{"payload":"{\"password\":\"***\",\"a\":\"{\\\"token\\\":\\\"***\\\"}\"}"}"#
      ),
      (
        #"{"price":"1,299.00","when":"2024-02-03T04:05:06+00:00","phone":"+49 170 1234567","id":"000000123-1"}"#,
        #"{"price":"1,299.00","when":"2024-02-03T04:05:06+00:00","phone":"+49 170 1234567","id":"000000123-1"}"#
      ),
    ])
  func contents(json: String, expected: String) { #expect(shown(json) == expected) }

  @Test(
    "text that is no JSON is masked by what it looks like",
    arguments: [
      ("grant_type=client_credentials&client_secret=s3cr3t&x=1", "grant_type=client_credentials&client_secret=***&x=1"),
      ("<html><password>abc def</password><p>hello</p></html>", "<html><password>***</password><p>hello</p></html>"),
      ("Authorization: Digest user=\"x\", response=\"y\"\nHost: h", "Authorization: ***\"x\", response=\"y\"\nHost: h"),
      ("502 Bad Gateway: the token was refused", "502 Bad Gateway: the token was refused"),
      ("'password' => 'it''s', 'a' => 1", "'password' => '***''s', 'a' => 1"),
      ("pays with 5500005555555559", "pays with ***5559"), ("", ""),
    ])
  func text(text: String, expected: String) { #expect(shown(text) == expected) }

  private static let secrets = ["hunter2secret", "737", "4111111111111111", "ABCDEFGH1234"]
  private static let whole = """
    {"a": {"password": "hunter2secret", "b": [1, 2]}, "custom_attributes": [{"value": "737", "attribute_code": "cvv"}, \
    {"attribute_code": "cvv", "value": "737"}], "comment": "card 4111111111111111 ok", "gift_cards": \
    [{"code": "ABCDEFGH1234", "amount": 5}], "nested": "{\\"client_secret\\": \\"hunter2secret\\"}"}
    """

  private func leaks(_ text: String, _ message: String) {
    for secret in Self.secrets where text.contains(secret) {
      Issue.record("\(secret) is shown: \(message) → \(text)")
    }
  }

  @Test("JSON that is broken at any place shows no more: a byte is missing, or another one")
  func broken() {
    let bytes = Array(Self.whole.utf8)
    // Changing a byte of a secret makes it another one, and of its name, no secret.
    let untouchable = [
      "hunter2secret", "737", "4111111111111111", "ABCDEFGH1234", "password", "cvv", "gift_cards", "client_secret",
      "attribute_code", "value",
    ]
    let fixed = Set(untouchable.flatMap { word in ranges(of: word, in: bytes).flatMap { Array($0) } })
    for index in bytes.indices where !fixed.contains(index) {
      for replacement in [[], [0x22], [0x7D], [0x5C]] as [[UInt8]] {
        let changed = Array(bytes[..<index]) + replacement + bytes[(index + 1)...]
        leaks(MaskedText(changed).text, String(decoding: changed, as: UTF8.self))
      }
    }
  }

  private func ranges(of word: String, in bytes: [UInt8]) -> [Range<Int>] {
    let word = Array(word.utf8)
    return bytes.indices.filter { bytes[$0...].starts(with: word) }.map { $0..<($0 + word.count) }
  }

  @Test("JSON that ends anywhere, and JSON that is cut anywhere, shows no more")
  func cut() {
    let bytes = Array(Self.whole.utf8)
    for count in bytes.indices {
      leaks(MaskedText(Array(bytes[..<count])).text, "the first \(count) bytes")
      let masked = MaskedText(bytes, limit: count)
      leaks(masked.text, "cut to \(count)")
      #expect(masked.isCut && masked.text.utf8.count <= count)
      // Also not most of a number.
      #expect(!masked.text.contains("4111111"))
    }
  }

  @Test("what is long is cut, between characters")
  func long() {
    let masked = MaskedText(Array(#"{"x":"\#(String(repeating: "ü", count: 100_000))"}"#.utf8))
    #expect(
      masked.isCut && masked.text.utf8.count <= MaskedText.limit && masked.text.utf8.count > MaskedText.limit - 100)
    #expect(!masked.text.contains("\u{FFFD}"))
    #expect(!MaskedText(Array(repeating: 0x20, count: MaskedText.limit)).isCut)
    let grown = MaskedText(Array("[\(Array(repeating: #"{"pin":1}"#, count: 6000).joined(separator: ","))]".utf8))
    #expect(grown.isCut && grown.text.utf8.count <= MaskedText.limit)
  }

  @Test("bytes that are no text")
  func binary() {
    #expect(shown("a\u{0}b") == "(3 bytes that are no text)")
    #expect(MaskedText([0x7B, 0xFF, 0xFE]).text.contains("\u{FFFD}"))
  }

  @Test(
    "hostile texts take no time",
    arguments: [
      "[", "{", "\"", "\\", "{\"a\":", "{\"value\":", "{\"value\":{", "{\"name\":\"pin\",\"value\":[", "1 ", "4", "4-",
      "\"secret\":", "\"secret\":{",
      "DE89", "A1 ", "eyJ", "://a:", "Bearer ", "\\\"", "secret=", "\\u0061", "<pin>",
      "{\"value\":\"x\",\"name\":\"pin\"},", "\u{0}",
    ])
  func hostile(piece: String) {
    // An eighth of the usual limit: this is a debug build, and other tests run beside it.
    let bytes = Array(String(repeating: piece, count: (64 << 10) / piece.utf8.count).utf8)
    let start = EventLoop.monotonicNanoseconds()
    _ = MaskedText(bytes, limit: MaskedText.limit / 8)
    #expect(EventLoop.monotonicNanoseconds() - start < 10_000_000_000)
  }

  @Test("random bytes end nowhere", arguments: 0..<20 as Range<UInt64>)
  func random(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array(#"{}[]:,"\ ue0149-.=>namevaluepin"#.utf8)
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      let masked = MaskedText(bytes, limit: 150)
      #expect(masked.text.utf8.count <= 150 && masked.isCut == (bytes.count > 150) || masked.isCut)
    }
  }
}
