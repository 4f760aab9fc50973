/// When messages are made smaller with gzip before they are sent. Worth it over a slow network; between processes of one
/// machine it costs more time than it saves, so it is off by default.
///
/// What is received compressed is always read. Source: gRPC's `doc/compression.md`.
public struct Compression: Sendable, Hashable {
  /// Bytes of a message from which on it is compressed. One that gzip makes no smaller goes as it is.
  public var threshold: Int

  /// - Parameter threshold: in bytes; below 1 KiB or so, gzip's own 18 bytes and its time outweigh what it saves.
  public init(threshold: Int = 1 << 10) {
    precondition(threshold >= 0, "compression: a threshold of \(threshold) bytes; it begins at 0")
    self.threshold = threshold
  }
}

/// How the messages of one side of a call are encoded: the value of `grpc-encoding`.
enum MessageEncoding: Sendable, Equatable {
  case identity
  case gzip

  /// Value of `grpc-accept-encoding`, with what is read here.
  static let accepted = Array(acceptedText.utf8)
  static let acceptedText = "identity,gzip"

  /// Nil for one that is not known here.
  init?(_ name: UnsafeBufferPointer<UInt8>) {
    if name.elementsEqual("identity".utf8) {
      self = .identity
    } else if name.elementsEqual("gzip".utf8) {
      self = .gzip
    } else {
      return nil
    }
  }

  /// Whether a `grpc-accept-encoding` lists gzip.
  static func listsGzip(_ list: UnsafeBufferPointer<UInt8>) -> Bool {
    guard list.count >= 4 else { return false }
    return list.split(separator: UInt8(ascii: ",")).contains { part in
      let start = part.firstIndex { $0 != UInt8(ascii: " ") } ?? part.endIndex
      let end = part.lastIndex { $0 != UInt8(ascii: " ") }.map { $0 + 1 } ?? start
      return part[start..<end].elementsEqual("gzip".utf8)
    }
  }
}
