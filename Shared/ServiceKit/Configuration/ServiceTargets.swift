import RPC

/// The ways from one service to another: gRPC names, the same in every executable that reads them.
public enum ServiceTargets {
  /// `CATALOG_TARGET`
  public static let catalog = Setting.target(
    "CATALOG_TARGET", "where the catalog service is", default: "unix:$STATE_DIR/catalog.sock")
  /// `INVENTORY_TARGET`
  public static let inventory = Setting.target(
    "INVENTORY_TARGET", "where the inventory service is", default: "unix-dir:$STATE_DIR/inventory")
  /// `SALES_TARGET`
  public static let sales = Setting.target(
    "SALES_TARGET", "where the sales service is", default: "unix:$STATE_DIR/sales.sock")
  /// `POST_SALES_TARGET`
  public static let postSales = Setting.target(
    "POST_SALES_TARGET", "where the post-sales service is", default: "unix:$STATE_DIR/post-sales.sock")
}
