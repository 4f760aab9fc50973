internal import Messages

/// The trailer `grpc-status-details-bin`: a `google.rpc.Status` with the code and the message once more, and the details.
enum StatusDetails {
  static let name = "grpc-status-details-bin"

  /// Bytes of the encoded status at most. Peers take 8 KiB of headers by default, and base64 adds a third.
  static let limit = 3 << 10

  /// Bytes of a status's message that are sent, here and in `grpc-message`: trailers share the header list's limit with
  /// everything else, and 1 KiB says enough.
  static let messageLimit = 1 << 10

  /// What goes on the wire: nil without details, or when the metadata brings the field along, as that of an error does
  /// that came from another peer and is passed on. Details for which there is no room are left out, the last ones first.
  static func encode(_ error: RPCError) -> [UInt8]? {
    guard !error.details.isEmpty, error.metadata[name] == nil else { return nil }
    var status = Google.Rpc.Status(
      code: Int32(error.code.rawValue), message: error.message.prefix(utf8: messageLimit))
    var count = status.serialized().count
    for detail in error.details {
      let packed = detail.packed
      // A tag and a length of at most three bytes come before each.
      let size = packed.serialized().count + 4
      guard count + size <= limit else { break }
      count += size
      status.details.append(packed)
    }
    return status.details.isEmpty ? nil : Array(BinaryValue.encode(status.serialized()).utf8)
  }

  /// The details that came with a status. None when the field is not there, does not decode, or speaks of another status:
  /// what came in `grpc-status` counts.
  static func decode(_ metadata: Metadata, code: StatusCode) -> [ErrorDetail] {
    guard let bytes = metadata[binary: name], let status = try? Google.Rpc.Status(serialized: bytes),
      status.code == Int32(code.rawValue)
    else { return [] }
    return status.details.map { ErrorDetail($0) }
  }
}

extension String {
  /// As many whole Unicode scalars as fit that many bytes.
  fileprivate func prefix(utf8 limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: limit)
    while !Unicode.UTF8.isBoundary(utf8, end) { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}

extension Unicode.UTF8 {
  fileprivate static func isBoundary(_ bytes: String.UTF8View, _ index: String.Index) -> Bool {
    bytes[index] & 0xc0 != 0x80
  }
}
