/// Just as much of RFC 3986 as settings need: is this a URL with a host, and which scheme is it?
struct URLText {
  let scheme: String
  let hasCredentials: Bool

  /// Nil unless `SCHEME://HOST[:PORT][/…]`, in visible ASCII and without a fragment.
  init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"), text.utf8.count <= 2048 else {
      return nil
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].hasPrefix("//") else { return nil }
    let authority = parts[1].dropFirst(2).prefix { $0 != "/" && $0 != "?" }
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    guard Self.isHostAndPort(host) else { return nil }
    scheme = parts[0].lowercased()
    hasCredentials = authority.contains("@")
  }

  private static func isHostAndPort(_ text: Substring) -> Bool {
    var host = text
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
      guard let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return false }
      host = text[..<colon]
    }
    return !host.isEmpty && (host.hasPrefix("[") == host.hasSuffix("]")) && (host.hasPrefix("[") || !host.contains(":"))
  }

  /// The text with the password of `SCHEME://USER:PASSWORD@…` blotted out, for messages.
  static func withoutPassword(_ text: String) -> String {
    guard let start = text.firstRange(of: "://")?.upperBound, let at = text[start...].lastIndex(of: "@") else {
      return text
    }
    guard let colon = text[start..<at].firstIndex(of: ":") else { return text }
    return text[...colon] + "••••" + text[at...]
  }
}
