/// Where an item of a return is in the shop (magento-rest.md §6). It moves forward only; of the last three none follows another.
enum ReturnItemStatus: String, Sendable, CaseIterable, Comparable {
  case pending, authorized, received, approved, rejected, denied

  var isFinal: Bool { self >= .approved }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  static func < (left: ReturnItemStatus, right: ReturnItemStatus) -> Bool { left.rank < right.rank }

  /// What a status of the OMS is in the shop. The OMS's list is open (messages.md §5): nil for a code that is not known, which
  /// moves nothing and is told in a comment.
  init?(omsCode: String) {
    switch omsCode.uppercased().filter(\.isLetter) {
    case "REQUESTED", "NEW", "PENDING", "CREATED": self = .pending
    case "AUTHORIZED", "ACCEPTED", "CONFIRMED": self = .authorized
    case "RECEIVED", "ARRIVED", "INSPECTED": self = .received
    case "APPROVED", "COMPLETE", "COMPLETED", "REFUNDED", "CLOSED": self = .approved
    case "REJECTED", "DECLINED": self = .rejected
    case "DENIED", "CANCELLED", "CANCELED", "ABORTED": self = .denied
    default: return nil
    }
  }
}

/// How far a return is. The numbers are those of `omsconnector.v1.ReturnState`, and are stored.
enum ReturnState: Int64, Sendable {
  /// The OMS was asked, and has not answered.
  case requested = 1
  case open = 2
  /// Approved, rejected or cancelled.
  case ended = 3
}
