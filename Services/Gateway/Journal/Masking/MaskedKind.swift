/// Why a value is not shown as it is.
enum MaskedKind: Sendable {
  /// Passwords, tokens, keys: nothing of it is shown.
  case secret
  /// Card data: the last four digits of a number, nothing of a verification code.
  case card
  /// Gift-card codes, which are as good as money (magento-rules.md §6): the last four characters.
  case giftCard
  /// Bank accounts: the last four characters.
  case account

  static let mask = "***"

  /// What is shown in the value's place.
  func shown(_ value: some Collection<UInt8>) -> String {
    switch self {
    case .secret: Self.mask
    case .card: Self.ending(value.filter { (0x30...0x39).contains($0) }, ofAtLeast: 12)
    case .giftCard, .account: Self.ending(Array(value), ofAtLeast: 8)
    }
  }

  /// Of a short value, four characters would be most of it.
  private static func ending(_ value: [UInt8], ofAtLeast length: Int) -> String {
    value.count < length ? mask : mask + String(String(decoding: value, as: UTF8.self).suffix(4))
  }

  /// Members of a masked object or array that say nothing about the secret in it.
  func leavesOut(_ name: SensitiveName) -> Bool {
    switch self {
    case .secret: false
    case .card: name.isEnding || name.isOne(of: Self.harmlessOfCards)
    case .giftCard: name.isEnding || name.isOne(of: Self.harmlessOfGiftCards) || name.ends(in: Self.amounts)
    case .account: name.isEnding || name.isOne(of: Self.harmlessOfAccounts)
    }
  }

  private static let harmlessOfCards = NameTable(["type", "brand", "scheme", "country", "currency"])
  // `i`, `a` and `ba` are Magento's own short names of the id and the amounts; its `c` is the code.
  private static let harmlessOfGiftCards = NameTable(["id", "i", "a", "ba", "type", "currency", "status"])
  private static let harmlessOfAccounts = NameTable(["country", "currency", "bankname"])
  private static let amounts = NameTable(["amount", "balance"])
}
