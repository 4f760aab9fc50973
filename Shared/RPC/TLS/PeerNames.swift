import CTLS

/// Names that certificates vouch for: DNS names and URIs.
struct PeerNames: Sendable, Equatable {
  private(set) var names: [String] = []

  var isEmpty: Bool { names.isEmpty }

  /// A list of names that are let in. A name with a colon is a URI, e.g. `spiffe://example.org/gateway`, and compared byte
  /// by byte; others are DNS names, whose case does not matter (RFC 4343).
  init(_ names: [String]) {
    self.names = names.map { $0.contains(":") ? $0 : $0.lowercased() }
  }

  /// Those of a certificate: its subject alternative names. The common name counts only where there are none at all
  /// (RFC 9525 §6.3 drops it; small private CAs still issue such certificates).
  init(of certificate: OpaquePointer) {
    let hasAlternatives = withUnsafeMutablePointer(to: &self) { pointer in
      ctls_visit_alternative_names(certificate, pointer) { context, kind, bytes, length in
        guard let context, let bytes, let name = PeerNames.text(bytes, length) else { return }
        context.assumingMemoryBound(to: PeerNames.self).pointee.add(name, isURI: kind == GEN_URI)
      }
    }
    if !hasAlternatives, let name = PeerNames.commonName(of: certificate) { add(name, isURI: false) }
  }

  /// Whether one name at least is on both lists.
  func contains(anyOf others: PeerNames) -> Bool { others.names.contains(where: names.contains) }

  private mutating func add(_ name: String, isURI: Bool) {
    // A DNS name must not pass for a URI.
    guard isURI == name.contains(":") else { return }
    names.append(isURI ? name : name.lowercased())
  }

  private static func commonName(of certificate: OpaquePointer) -> String? {
    guard let subject = X509_get_subject_name(certificate) else { return nil }
    let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
    guard index >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)) else { return nil }
    var bytes: UnsafeMutablePointer<UInt8>?
    let length = ASN1_STRING_to_UTF8(&bytes, value)
    guard length >= 0, let bytes else { return nil }
    defer { CRYPTO_free(bytes, #fileID, #line) }
    return text(bytes, length)
  }

  /// Nil for what is no name: `good.example\0.evil.example` must not be taken for its first half anywhere.
  private static func text(_ bytes: UnsafePointer<UInt8>, _ length: Int32) -> String? {
    let bytes = UnsafeBufferPointer(start: bytes, count: Int(length))
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
