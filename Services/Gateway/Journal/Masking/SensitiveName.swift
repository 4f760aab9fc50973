/// The name of a member, attribute, parameter or header, by which its value may have to be masked: lower-case letters and digits
/// only, so that `clientSecret`, `client_secret` and `Client-Secret` are one.
struct SensitiveName: Equatable {
  fileprivate let letters: [UInt8]

  static let none = SensitiveName([])

  /// Of a long name the end counts.
  init(_ name: some BidirectionalCollection<UInt8>) {
    var letters: [UInt8] = []
    for byte in name.suffix(128) {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): letters.append(byte | 0x20)
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): letters.append(byte)
      default: break
      }
    }
    self.letters = letters
  }

  /// What its value has to be masked as; nil for most.
  var kind: MaskedKind? {
    if letters.count < 3 || isEnding { return nil }
    if contains(Self.giftCards) { return ends(in: Self.harmlessOfGiftCards) ? nil : .giftCard }
    if contains(Self.cards) || isOne(of: Self.exactCards) { return ends(in: Self.harmlessOfCards) ? nil : .card }
    if contains(Self.accounts) || isPlainAccount { return .account }
    if contains(Self.secrets) || ends(in: Self.secretEnds) || isOne(of: Self.exactSecrets) { return .secret }
    return nil
  }

  /// Digits that may be shown: `cc_last4`.
  var isEnding: Bool { ends(in: Self.endings) }

  /// A value with this name is masked, an object is more likely a customer's account.
  var isPlainAccount: Bool { letters.elementsEqual("account".utf8) }

  /// In an object with one of these, `value` belongs to that name: attributes, form fields, headers.
  var isPairName: Bool { isOne(of: Self.pairNames) }
  var isPairValue: Bool { letters.elementsEqual("value".utf8) }

  /// The rest of the line belongs to it.
  var isHeader: Bool { ends(in: Self.headers) }

  func isOne(of table: NameTable) -> Bool { table.words(at: letters, 0).contains { $0.count == letters.count } }

  func ends(in table: NameTable) -> Bool {
    letters.indices.contains { start in table.words(at: letters, start).contains { start + $0.count == letters.count } }
  }

  func contains(_ table: NameTable) -> Bool { letters.indices.contains { !table.words(at: letters, $0).isEmpty } }

  private static let endings = NameTable(["last4", "lastfour", "last4digits", "lastfourdigits"])
  private static let pairNames = NameTable([
    "name", "attributecode", "code", "key", "attribute", "field", "header", "parameter",
  ])
  private static let headers = NameTable(["authorization", "cookie"])
  private static let secrets = NameTable([
    "secret", "password", "passwd", "passphrase", "token", "apikey", "privatekey", "accesskey", "credential", "cookie",
    "bearer", "jwt",
  ])
  /// Not in the middle: `authorization_status` is what an operator looks for.
  private static let secretEnds = NameTable([
    "authorization", "signature", "hmac", "pwd", "sessionid", "authcode", "authorizationcode",
  ])
  private static let exactSecrets = NameTable(["auth", "pin", "pass", "otp"])
  private static let cards = NameTable([
    "cardnumber", "cardno", "ccnumber", "primaryaccountnumber", "cvv", "cvc", "cardverification", "securitycode",
    "verificationvalue", "cccid", "trackdata", "cardholder", "ccowner", "ccexp", "cardexp", "creditcard", "debitcard",
    "paymentcard",
  ])
  private static let exactCards = NameTable(["card", "pan", "csc", "cvn", "track1", "track2"])
  private static let harmlessOfCards = NameTable(["type", "brand"])
  private static let giftCards = NameTable(["giftcard", "giftcert", "giftcode", "giftvoucher"])
  private static let harmlessOfGiftCards = NameTable(["amount", "balance", "type", "id", "count"])
  private static let accounts = NameTable([
    "iban", "accountnumber", "accountno", "bankaccount", "routingnumber", "sortcode",
  ])
}

/// Words by their first letter: a message has thousands of names, and each is looked for in every table.
struct NameTable: Sendable {
  private let words: [[[UInt8]]]

  init(_ words: [String]) {
    var table: [[[UInt8]]] = Array(repeating: [], count: 256)
    for word in words { table[Int(word.utf8.first ?? 0)].append(Array(word.utf8)) }
    self.words = table
  }

  /// The words that stand in `letters` from `start` on.
  func words(at letters: [UInt8], _ start: Int) -> [[UInt8]] {
    guard start < letters.count else { return [] }
    let candidates = words[Int(letters[start])]
    return candidates.isEmpty ? [] : candidates.filter { letters[start...].starts(with: $0) }
  }
}
