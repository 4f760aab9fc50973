import CCrypto
import RPC
import ServiceKit

/// The bearer tokens that open the gateway. Only their digests are kept.
struct TokenTable: Sendable {
  /// Whose token it is, for logs; the number of its line when the file gives no name.
  struct Entry: Sendable, Equatable {
    let name: String
    let digest: [UInt8]
  }

  private(set) var entries: [Entry] = []

  /// A token that can be guessed is none: 20 characters of base64 are 120 bits.
  static let shortestToken = 20
  static let longestToken = 512
  static let tokenLimit = 1000

  /// What is wrong with a file, by the number of the line. Never the line itself, which may hold a token.
  struct FormatError: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// - Parameter text: a token a line, `TOKEN` or `NAME:TOKEN`; empty lines and lines that begin with `#` do not count.
  init(parsing text: String) throws(FormatError) {
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = line.trimmingBlanks()
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard entries.count < Self.tokenLimit else { throw FormatError("has more than \(Self.tokenLimit) tokens") }
      entries.append(try Self.entry(line, number: index + 1))
    }
    guard !entries.isEmpty else { throw FormatError("has no token; write one a line") }
    var seen: [[UInt8]: String] = [:]
    for entry in entries {
      if let other = seen.updateValue(entry.name, forKey: entry.digest) {
        throw FormatError("has one token twice, for \(other) and \(entry.name); every client gets its own")
      }
    }
  }

  private static func entry(_ line: Substring, number: Int) throws(FormatError) -> Entry {
    // A colon is no part of a token (RFC 6750 §2.1), so that the name before it can't be mistaken for one.
    let parts = line.split(separator: ":", omittingEmptySubsequences: false)
    guard let token = parts.last, parts.count <= 2 else { throw FormatError("line \(number): more than one colon") }
    let name = parts.count == 2 ? parts[0].trimmingBlanks() : "line \(number)"
    guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
      throw FormatError("line \(number): the name before the colon is not 1 to 64 ASCII characters")
    }
    let bytes = Array(token.trimmingBlanks().utf8)
    guard bytes.allSatisfy(isAllowed) else {
      throw FormatError("line \(number): a token is made of letters, digits and -._~+/= (RFC 6750)")
    }
    guard (shortestToken...longestToken).contains(bytes.count) else {
      throw FormatError(
        "line \(number): the token has \(bytes.count) characters; allowed are \(shortestToken) to \(longestToken), "
          + "e.g. from openssl rand -hex 32")
    }
    guard let digest = Self.digest(bytes) else { throw FormatError("can't be used: OpenSSL has no SHA-256") }
    return Entry(name: String(name), digest: digest)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~+/=".utf8.contains(byte)
    }
  }

  /// Whose token this is; nil when it is nobody's. Takes as long for every token of a length: digests of one length are
  /// compared, in constant time, and with all of them.
  func owner(of token: some Collection<UInt8>) -> String? {
    guard token.count <= Self.longestToken, let digest = Self.digest(Array(token)) else { return nil }
    var found: Int?
    for index in entries.indices where CRYPTO_memcmp(entries[index].digest, digest, digest.count) == 0 { found = index }
    return found.map { entries[$0].name }
  }

  private static func digest(_ bytes: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else { return nil }
    return digest
  }
}

extension TokenTable.FormatError {
  fileprivate init(_ description: String) { self.description = description }
}

extension Substring {
  /// Without blanks and tabs at either end.
  fileprivate func trimmingBlanks() -> Substring {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
      return ""
    }
    return self[first...last]
  }
}
