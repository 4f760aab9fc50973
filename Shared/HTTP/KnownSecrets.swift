import Messages

/// Takes secrets that are known out of a text: what a client sends may come back in an answer, and end in logs and errors.
public struct KnownSecrets {
  static let mask = "••••"
  /// A text may be cut off within a secret. As much of its beginning says too much.
  static let tellingBytes = 6

  /// As they may be written, the longest first: one may be a part of another.
  private let forms: [String]

  public init(_ secrets: [String]) {
    forms = Set(secrets.filter { !$0.isEmpty }.flatMap(Self.forms)).sorted { ($1.utf8.count, $1) < ($0.utf8.count, $0) }
  }

  public func removed(from text: String) -> String {
    let whole = forms.reduce(text) { $0.replacing($1, with: Self.mask) }
    return withoutBeginning(whole)
  }

  /// In JSON, where a slash may be escaped or not, and in a form or an address.
  private static func forms(_ secret: String) -> [String] {
    let quoted = String(JSONText.quoted(secret).dropFirst().dropLast())
    let encoded = String(decoding: FormURLEncoding.encode([("", secret)]).dropFirst(), as: UTF8.self)
    return [secret, quoted, quoted.replacing("/", with: "\\/"), encoded]
  }

  /// An excerpt ends with an ellipsis where it was cut.
  private func withoutBeginning(_ text: String) -> String {
    let isCut = text.hasSuffix("…")
    let bytes = Array((isCut ? text.dropLast() : text[...]).utf8)
    for form in forms.map({ Array($0.utf8) }) where form.count > Self.tellingBytes {
      for length in stride(from: min(form.count - 1, bytes.count), through: Self.tellingBytes, by: -1)
      where bytes.suffix(length).elementsEqual(form.prefix(length)) {
        return String(decoding: bytes.dropLast(length), as: UTF8.self) + Self.mask + (isCut ? "…" : "")
      }
    }
    return text
  }
}
