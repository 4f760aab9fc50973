import Commerce

/// Why an order waits instead of going to the OMS. It is looked at again when what it waits for may have changed.
enum ExportHold: Error, Equatable, CustomStringConvertible {
  /// The OMS rejects an order with a SKU that it does not know (connector.md §2.2).
  case notInCatalog(sku: String)
  case shippingMethod(String)
  case paymentMethod(String)
  case website(String)
  /// The lines don't add up to what the customer pays: magento-rules.md §5.
  case unexplained(Decimal, currency: String)
  case giftWrap(Decimal, currency: String)
  /// The shop is not done with it: payment_review, holded, pending_payment.
  case shopState(String)
  case storeView(Int64)
  /// There is no shop to ask for its store views.
  case noShop
  /// Something was done with it in the shop before the OMS had it: the OMS would do that again, as it is told of whole orders only.
  case begun(sku: String, what: String)
  /// What has to be asked first does not answer now.
  case unavailable(what: String, reason: String)
  /// Not even with one line an item does it fit a message.
  case tooLarge(bytes: Int)
  /// Something is missing in the order, or is none of what it should be.
  case unreadable(field: String, reason: String)

  var description: String {
    switch self {
    case .notInCatalog(let sku):
      "the OMS does not have SKU \"\(sku)\" yet, without which it rejects the order: the catalog has not exported it, or its message "
        + "is on its way; omsctl catalog show and omsctl queue tell"
    case .shippingMethod(let method):
      "shipping method \"\(method)\" is not mapped; add `shipping \(method) = SKU` to the mapping file"
    case .paymentMethod(let method):
      "payment method \"\(method)\" is not mapped; add `payment \(method) = …` to the mapping file"
    case .website(let code):
      "website \"\(code)\" has no sales channel; add `website \(code) = CHANNEL` to the mapping file"
    case .unexplained(let amount, let currency) where amount.isNegative:
      "its lines say \(amount.magnitude) \(currency) more than what it costs, which no mapping explains: look for what lowers its "
        + "total in the shop, such as a discount of a module's own"
    case .unexplained(let amount, let currency):
      "its lines leave \(amount) \(currency) unexplained, such as a fee; "
        + "add `service fee = SKU` to the mapping file to export it as a service"
    case .giftWrap(let amount, let currency):
      "it has gift wrapping for \(amount) \(currency); add `service gift-wrap = SKU` to the mapping file"
    case .shopState(let state): "it is \(state) in the shop; it goes out once it is new or processing"
    case .storeView(let id): "the shop has no store view \(id)"
    case .begun(let sku, let what):
      "of SKU \"\(sku)\" \(what) in the shop before the OMS had the order, which would do so again; finish the order in the shop, or "
        + "place the rest as a new one"
    case .noShop: "the shop's store views are not known; set COMMERCE_URL"
    case .unavailable(let what, let reason): "\(what) does not answer: \(reason)"
    case .tooLarge(let bytes): "its message has \(bytes) bytes, more than the gateway takes; split the order"
    case .unreadable(let field, let reason): "\(field) \(reason)"
    }
  }
}
