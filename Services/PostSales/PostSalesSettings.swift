import ServiceKit

/// How refunds and returns are carried out.
enum PostSalesSettings {
  static let sendsMails = Setting.bool(
    "POST_SALES_SENDS_MAILS", "whether the shop tells customers of credit memos by mail", default: "true")
  static let silentChannels = Setting.names(
    "POST_SALES_SILENT_CHANNELS", "sales channels whose customers get no mails all the same"
  ).optional
  static let settleTime = Setting.duration(
    "POST_SALES_SETTLE_TIME", .milliseconds(100) ... .seconds(3_600),
    "how long the shop may still be at a write that it has not answered: until then nothing is tried again",
    default: "120s")
  static let shippingIncludesTax = Setting.bool(
    "POST_SALES_SHIPPING_INCLUDES_TAX",
    "whether the shop shows shipping in orders with tax, so that amounts of it to refund are told so", default: "false")
  static let storeCreditRoute = Setting.urlPath(
    "POST_SALES_STORE_CREDIT_ROUTE",
    "route of the shop, such as /V1/companion/balance, that credits a customer once per reference; without it an operator does"
  ).optional

  static let all: [any DeclaredSetting] = [
    sendsMails, silentChannels, settleTime, shippingIncludesTax, storeCreditRoute,
  ]
}

/// Their values.
struct PostSalesOptions: Sendable {
  var sendsMails = true
  var silentChannels: Set<String> = []
  var settleTime = Duration.seconds(120)
  var shippingIncludesTax = false
  /// Below `/rest/all/`; nil for none.
  var storeCreditRoute: String?

  init() {}

  init(_ configuration: Configuration) {
    sendsMails = configuration[PostSalesSettings.sendsMails]
    silentChannels = Set(configuration[PostSalesSettings.silentChannels] ?? [])
    settleTime = configuration[PostSalesSettings.settleTime]
    shippingIncludesTax = configuration[PostSalesSettings.shippingIncludesTax]
    storeCreditRoute = configuration[PostSalesSettings.storeCreditRoute].map { String($0.drop { $0 == "/" }) }
  }

  func sendsMails(to channel: String) -> Bool { sendsMails && !silentChannels.contains(channel) }
}
