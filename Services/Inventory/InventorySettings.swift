import ServiceKit

/// The inventory service's own settings.
enum InventorySettings {
  static let developerMode = Setting.bool(
    "INVENTORY_DEVELOPER_MODE", "whether SetStock may set quantities, which the OMS owns otherwise", default: "false")
}
