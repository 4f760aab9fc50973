/// The nine bytes before every frame. Source: RFC 9113 §4.1.
struct FrameHeader {
  static let byteCount = 9
  /// Largest payload of a peer that has not asked for larger ones, and the largest that we take (RFC 9113 §4.2).
  static let defaultMaxFrameSize = 16384

  let length: Int
  let type: UInt8
  let flags: UInt8
  let streamID: Int32

  /// - Parameter bytes: nine of them.
  @inline(__always) init(_ bytes: UnsafePointer<UInt8>) {
    length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
    type = bytes[3]
    flags = bytes[4]
    streamID = Int32(bitPattern: loadBigEndian(bytes + 5) & 0x7fff_ffff)
  }

  @inline(__always) static func write(
    length: Int, type: UInt8, flags: UInt8 = 0, streamID: Int32, to bytes: UnsafeMutablePointer<UInt8>
  ) {
    bytes[0] = UInt8(truncatingIfNeeded: length >> 16)
    bytes[1] = UInt8(truncatingIfNeeded: length >> 8)
    bytes[2] = UInt8(truncatingIfNeeded: length)
    bytes[3] = type
    bytes[4] = flags
    UnsafeMutableRawPointer(bytes + 5).storeBytes(of: streamID.bigEndian, as: Int32.self)
  }
}

@inline(__always) func loadBigEndian(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
  UInt32(bigEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self))
}

/// Source: RFC 9113 §6.
enum FrameType {
  static let data: UInt8 = 0x0
  static let headers: UInt8 = 0x1
  static let priority: UInt8 = 0x2
  static let resetStream: UInt8 = 0x3
  static let settings: UInt8 = 0x4
  static let pushPromise: UInt8 = 0x5
  static let ping: UInt8 = 0x6
  static let goAway: UInt8 = 0x7
  static let windowUpdate: UInt8 = 0x8
  static let continuation: UInt8 = 0x9
}

/// Source: RFC 9113 §6.
enum FrameFlags {
  static let acknowledgement: UInt8 = 0x1
  static let endStream: UInt8 = 0x1
  static let endHeaders: UInt8 = 0x4
  static let padded: UInt8 = 0x8
  static let priority: UInt8 = 0x20
}

/// Identifiers of SETTINGS. Source: RFC 9113 §6.5.2.
enum SettingID {
  static let headerTableSize: UInt16 = 0x1
  static let enablePush: UInt16 = 0x2
  static let maxConcurrentStreams: UInt16 = 0x3
  static let initialWindowSize: UInt16 = 0x4
  static let maxFrameSize: UInt16 = 0x5
  static let maxHeaderListSize: UInt16 = 0x6
}
