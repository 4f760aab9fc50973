import Glibc
import Messages
import ServiceKit

/// A message of the journal that may have touched a SKU: what it says of it.
struct TouchingMessage: Sendable, Equatable {
  enum Said: Sendable, Equatable {
    case value(quantity: Int64, unlimited: Bool)
    /// The row can't be used.
    case invalid(reason: String)
    /// Nothing, in a NONZERO: it is left out.
    case leftOut
    /// The journal shows the beginning only, and that doesn't have it.
    case unknown
  }

  let journalID: Int64
  /// Nanoseconds since 1970.
  let receivedAt: Int64
  let status: Omsconnector.V1.MessageStatus
  /// Why it is no success.
  let reason: String
  let mode: SnapshotMode
  let createdOn: Int64
  let said: Said

  /// - Returns: nil when it says nothing of the SKU, or when nobody can tell what it says.
  init?(_ message: Omsconnector.V1.JournalMessage, sku: String) {
    guard let receivedAt = message.receivedAt?.nanosecondsSinceEpoch, let head = Head(message.body),
      let mode = head.mode
    else { return nil }
    journalID = message.id
    self.receivedAt = receivedAt
    status = message.status
    reason = message.reason
    (self.mode, createdOn) = (mode, head.createdOn)
    if let said = Self.said(of: sku, in: message.body) {
      self.said = said
    } else if message.bodyCut {
      said = .unknown
    } else if mode == .nonzero {
      said = .leftOut
    } else {
      return nil
    }
  }

  /// The last row of the SKU counts.
  private static func said(of sku: String, in body: String) -> Said? {
    guard Self.mayName(sku, body) else { return nil }
    var said: Said?
    for row in rows(body) where (row["sku"]?.scalar ?? "").utf8.elementsEqual(sku.utf8) {
      switch RowQuantity(text: row["quantity"]?.scalar) {
      case .units(let units):
        said = .value(quantity: max(0, units), unlimited: row["unlimited"]?.text == "true")
      case let quantity:
        do throws(RowProblem) {
          _ = try RowRules.units(quantity)
        } catch {
          said = .invalid(reason: error.description)
        }
      }
    }
    return said
  }

  /// A look that costs nothing: a SKU that JSON writes as it is, is there as it is.
  private static func mayName(_ sku: String, _ body: String) -> Bool {
    let isPlain = sku.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C && $0 != 0x2F }
    guard isPlain else { return true }
    var (body, sku) = (body, sku)
    return body.withUTF8 { body in
      sku.withUTF8 { sku in
        guard var place = body.baseAddress, let wanted = sku.baseAddress else { return false }
        let end = place + body.count
        while end - place >= sku.count, let found = memchr(place, Int32(wanted[0]), end - place - sku.count + 1) {
          if memcmp(found, wanted, sku.count) == 0 { return true }
          place = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + 1
        }
        return false
      }
    }
  }

  /// Those that can be read; of a body that is cut, those before the cut.
  private static func rows(_ body: String) -> [JSONValue] {
    if let document = try? JSONDocument(parsing: Array(body.utf8)) {
      return (document.root["params"] ?? document.root)["snapshot"]?["stock"]?.elements ?? []
    }
    let bytes = Array(body.utf8)
    guard let list = Head.list(in: bytes), let end = bytes.lastIndex(of: UInt8(ascii: "}")), end > list else {
      return []
    }
    let whole = Array(bytes[list...end]) + [UInt8(ascii: "]")]
    return (try? JSONDocument(parsing: whole))?.root.elements ?? []
  }
}

extension TouchingMessage {
  /// What stands before the rows.
  struct Head {
    /// nil when it is none that there is.
    let mode: SnapshotMode?
    let createdOn: Int64

    init?(_ body: String) {
      let bytes = Array(body.utf8)
      let document: JSONDocument
      if let whole = try? JSONDocument(parsing: bytes) {
        document = whole
      } else if let list = Self.list(in: bytes),
        let start = try? JSONDocument(parsing: Self.closed(bytes[..<list] + Array("[]".utf8)))
      {
        document = start
      } else {
        return nil
      }
      let snapshot = (document.root["params"] ?? document.root)["snapshot"]
      guard
        let text = snapshot?["created_on"]?.string, let time = try? Google.Protobuf.Timestamp(parsing: text),
        let createdOn = CreatedOn(seconds: time.seconds, nanoseconds: Int64(time.nanos))
      else { return nil }
      mode = snapshot?["mode"]?.string.flatMap { SnapshotMode(rawValue: $0) }
      self.createdOn = createdOn.nanoseconds
    }

    /// Where the list of rows begins.
    static func list(in bytes: [UInt8]) -> Int? {
      let name = Array("\"stock\"".utf8)
      guard let start = bytes.firstRange(of: name) else { return nil }
      return bytes[start.upperBound...].firstIndex(of: UInt8(ascii: "["))
    }

    /// With as many braces as are missing.
    private static func closed(_ bytes: [UInt8]) -> [UInt8] {
      let open = bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "{") ? 1 : $1 == UInt8(ascii: "}") ? -1 : 0) }
      return bytes + [UInt8](repeating: UInt8(ascii: "}"), count: max(0, open))
    }
  }
}
