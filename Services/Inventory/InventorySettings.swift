import ServiceKit

/// The inventory service's own settings.
enum InventorySettings {
  static let developerMode = Setting.bool(
    "INVENTORY_DEVELOPER_MODE", "whether SetStock may set quantities, which the OMS owns otherwise", default: "false")

  static let shopCheckInterval = Setting.duration(
    "INVENTORY_SHOP_CHECK_INTERVAL", .milliseconds(100) ... .seconds(86_400),
    "how often the shop's stock is compared with what it was told", default: "1h")
}
