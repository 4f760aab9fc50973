import Storage

extension GatewaySchema {
  /// Why a discarded message was not a success before; whoever discards it says another reason.
  static let originalReason = Migration(
    "reasons before a discard", ["ALTER TABLE journal ADD COLUMN original_reason TEXT NOT NULL DEFAULT ''"])
}
