import Commerce
import Messages
import ServiceKit

/// What the sales service reads from the environment, besides what all services do.
enum SalesSettings {
  static let exportSince = Setting<Int64>(
    "SALES_EXPORT_SINCE",
    "orders made before are not exported by themselves; without it, all that are new or processing",
    allowed: "a time such as 2024-02-03T04:05:06Z"
  ) { text throws(SettingError) in
    let time: Google.Protobuf.Timestamp
    do throws(MessageError) {
      time = try Google.Protobuf.Timestamp(parsing: text)
    } catch {
      throw SettingError()
    }
    guard let nanoseconds = time.nanosecondsSinceEpoch else { throw SettingError() }
    return nanoseconds
  }.optional

  static let confirmationTimeout = Setting.duration(
    "SALES_CONFIRMATION_TIMEOUT", .seconds(1) ... .seconds(86_400),
    "how long the OMS may take to confirm an order before that is an operator's case", default: "15m")

  static let holdInterval = Setting.duration(
    "SALES_HOLD_INTERVAL", .milliseconds(100) ... .seconds(600),
    "how soon an order that waits is tried again; later more and more seldom, up to 10 minutes", default: "30s")

  static let unitLimit = Setting.integer(
    "SALES_UNIT_LIMIT", 1...1_000,
    "an item of more units is one line at the OMS, with a quantity, instead of one line a unit", default: "100")

  static let carrier = Setting.text(
    "SALES_CARRIER", "the carrier that the OMS is told when it asks how a parcel goes; without it that is refused"
  ).optional

  static let carrierTrackingNumber = Setting.text(
    "SALES_CARRIER_TRACKING_NUMBER",
    "its tracking numbers, with {order}, {request}, {package} and {source} filled in", default: "{request}-{package}")

  static let carrierTrackingLink = Setting.text(
    "SALES_CARRIER_TRACKING_LINK", "address of its tracking page, with {number} and the others filled in"
  ).optional

  static let shipmentMails = Setting.bool(
    "SALES_SHIPMENT_MAILS", "let the shop tell customers of shipments by mail; false when the OMS does", default: "true"
  )

  static let silentChannels = Setting.names(
    "SALES_SILENT_CHANNELS", "sales channels whose customers get no mails of shipments all the same"
  ).optional

  static let shopGrace = Setting.duration(
    "SALES_SHOP_GRACE", .milliseconds(100) ... .seconds(3600),
    "after that the shop is done with a request, whatever became of its answer", default: "120s")

  static let paymentsURL = Setting.url(
    "SALES_PAYMENTS_URL", "the payment integration that carries out the OMS's payment commands"
  ).optional
  static let paymentsToken = Setting.secret(
    "SALES_PAYMENTS_TOKEN", "the bearer token that the payment integration asks for"
  ).optional

  static let all: [any DeclaredSetting] =
    [
      StoreSettings.databaseURL, OutboxRelay.gatewayTarget, ServiceTargets.catalog, ServiceTargets.inventory,
      exportSince, unitLimit, confirmationTimeout, holdInterval, shipmentMails, silentChannels, shopGrace, paymentsURL,
      paymentsToken, carrier,
      carrierTrackingNumber, carrierTrackingLink,
    ] + CommerceSettings.all
}
