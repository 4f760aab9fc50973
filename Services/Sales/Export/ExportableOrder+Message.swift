import Commerce
import Messages

extension ExportableOrder {
  /// The params of `magento.sales.order_management.create` (messages.md §4.4).
  ///
  /// - Parameter attributes: the order's mapped attributes besides those of gift cards, store credit and reward points.
  func message(attributes: [(name: String, value: String)] = []) -> Magento.Oms.V1.OrderMessage {
    let paymentReference = "\(order.payment?.entityId ?? 0)"
    let billing = order.billingAddress.map { address($0) }
    let assigned = order.extensionAttributes?.shippingAssignments.first?.shipping?.address
    let shipping = order.isVirtual ? nil : assigned.map { address($0) }
    // A virtual order has no shipping address (connector.md §2.2).
    let reference = shipping?.reference ?? billing?.reference ?? ""
    return .init(
      order: .init(
        id: order.incrementId, store: channel, statusReason: "", ip: order.remoteIp, language: locale,
        vatCountry: vatCountry ?? "", origin: "FRONTEND", originDate: Self.originDate(order.createdAt),
        customer: .init(
          id: order.customerIsGuest || order.customerId == 0 ? "anonymous" : "\(order.customerId)",
          type: order.customerIsGuest || order.customerId == 0 ? "GUEST" : "REGISTERED", segment: "B2C"),
        addresses: addresses(billing, shipping),
        payments: [
          .init(
            reference: paymentReference, currency: order.orderCurrencyCode,
            transactions: [transaction(billing: billing?.reference ?? "")])
        ],
        lines: lines.map { line($0, address: reference, payment: paymentReference) },
        giftMessage: order.extensionAttributes?.giftMessage?.message ?? "",
        customAttributes: (attributes + tenderAttributes()).map(Self.attribute)))
  }

  /// UTC with its offset: without one the OMS keeps the order on hold for too long (connector.md §2.2, "Remorse time").
  static func originDate(_ createdAt: String) -> String {
    let text = createdAt.replacing(" ", with: "T")
    return text.contains("T") && !text.hasSuffix("Z") && !text.dropFirst(10).contains("+") ? text + "+00:00" : text
  }

  /// Definitions say `name`, receivers read `attribute_code`: both (connector.md §2.13).
  static func attribute(name: String, value: String) -> Magento.Oms.V1.CustomAttribute {
    .init(name: name, attributeCode: name, value: value)
  }

  private func addresses(
    _ billing: Magento.Oms.V1.Address?, _ shipping: Magento.Oms.V1.Address?
  ) -> [Magento.Oms.V1.Address] {
    var all = [billing, shipping].compactMap { $0 }
    if all.count == 2, all[0].reference == all[1].reference { all.removeLast() }
    return all
  }

  private func address(_ address: Magento.Commerce.V1.OrderAddress) -> Magento.Oms.V1.Address {
    .init(
      reference: "\(address.entityId)", addressType: "customer", firstName: address.firstname,
      lastName: address.lastname, address1: address.street.first ?? "",
      address2: address.street.dropFirst().filter { !$0.isEmpty }.joined(separator: ", "), city: address.city,
      state: address.regionCode.isEmpty ? address.region : address.regionCode, zip: address.postcode,
      countryCode: address.countryId, phone: address.telephone,
      email: address.email.isEmpty ? order.customerEmail : address.email)
  }

  /// Exactly one per order: more may get it rejected. A total of 0, and what nobody captures at the OMS's command, is ZEROPAY
  /// with the gateway OFFLINE (connector.md §2.2).
  private func transaction(billing: String) -> Magento.Oms.V1.PaymentTransaction {
    let method = order.payment?.method ?? ""
    let isOffline = payment.model != .custom || grandTotal.isZero
    return .init(
      paymentMethod: isOffline ? "ZEROPAY" : method, paymentSubmethod: isOffline ? "ZEROPAY" : method,
      amount: grandTotal.message, billingAddressReference: billing,
      gatewayInformation: .init(
        gatewayId: isOffline ? "OFFLINE" : payment.gateway, account: "",
        transactionId: isOffline ? "" : order.payment?.lastTransId ?? "", authorizationStatus: "AUTHORIZED",
        customAttributes: [Self.attribute(name: "mdc_gateway_processor", value: method)]))
  }

  private func line(
    _ line: LedgerLine, address: String, payment: String
  ) -> Magento.Oms.V1.OrderLine {
    var message = Magento.Oms.V1.OrderLine(
      id: line.kind == .shipping ? "SHIPPING" : line.itemID.map { "\($0)" } ?? line.sku,
      lineNumber: Int32(clamping: line.number), productType: line.kind.rawValue, sku: line.sku,
      productName: line.name, shippingAddressReference: address, paymentReference: payment)
    if line.quantity != 1 { message.quantity = line.quantity.message }
    if let parent = line.parent {
      message.parentLineNumber = Int32(clamping: parent)
      message.parentLineId = lines[parent - 1].itemID.map { "\($0)" } ?? ""
    }
    if line.kind == .physical, let shipping = shippingLine {
      message.shippingLineNumber = Int32(clamping: shipping.number)
    }
    message.amount = .init(
      netAmount: line.amounts.net.message, grossAmount: line.amounts.gross.message,
      taxAmount: line.amounts.tax.message, taxRate: line.amounts.taxRate.message, taxes: taxes(line),
      currency: order.orderCurrencyCode)
    if !line.amounts.discount.isZero {
      message.promotionsInfo = .init(
        originalPrice: line.originalPrice.message,
        promotions: [
          .init(
            code: order.couponCode,
            name: order.discountDescription.isEmpty ? order.couponCode : order.discountDescription,
            discount: line.amounts.discount.message, percentage: line.discountPercent.message)
        ])
    }
    message.imageUrl = line.imageURL ?? ""
    if line.kind == .bundle, line.isShippedTogether {
      message.customAttributes = [
        Self.attribute(name: "mom_srcrr_FilterSourceBundleFromOneSource", value: "SHIPTOGETHER")
      ]
    }
    return message
  }

  /// One at least: receivers read the first without looking.
  private func taxes(_ line: LedgerLine) -> [Magento.Oms.V1.Tax] {
    if line.amounts.tax.isZero {
      return [.init(type: "NO TAX", amount: Decimal.zero.message, rate: Decimal.zero.message)]
    }
    // The shop's list may leave out the tax on the fixed product taxes, or hold what was rounded otherwise.
    guard line.taxes.map(\.amount).sum() == line.amounts.tax else {
      let type = line.taxes.first?.type ?? "TAX"
      return [.init(type: type, amount: line.amounts.tax.message, rate: line.amounts.taxRate.message)]
    }
    return line.taxes.map { .init(type: $0.type, amount: $0.amount.message, rate: $0.rate.message) }
  }

  /// Gift cards, store credit and reward points are discounts to the OMS: lines keep their price, and these attributes say
  /// what was paid so (connector.md §2.5 and §2.9, magento-rules.md §6). Whole codes never leave the shop.
  private func tenderAttributes() -> [(name: String, value: String)] {
    guard let extra = order.extensionAttributes else { return [] }
    var attributes: [(name: String, value: String)] = []
    let cards = extra.giftCards.map { card in
      GiftCard(id: card.id, lastFour: String(card.code.suffix(4)), amount: card.amount, baseAmount: card.baseAmount)
        .json
    }
    if !cards.isEmpty { attributes.append(("gift_cards", "[\(cards.joined(separator: ","))]")) }
    for (name, amount) in [
      ("gift_cards_amount", extra.giftCardsAmount), ("customer_balance_amount", extra.customerBalanceAmount),
      ("reward_currency_amount", extra.rewardCurrencyAmount), ("reward_points_balance", extra.rewardPointsBalance),
    ] {
      guard let number = amount.flatMap({ Decimal($0) }), !number.isZero else { continue }
      attributes.append((name, number.text))
    }
    return attributes
  }

  /// As much of a gift card as may be told.
  private struct GiftCard {
    let id: Int64
    let lastFour: String
    let amount: Google.Types.Decimal?
    let baseAmount: Google.Types.Decimal?

    var json: String {
      func number(_ value: Google.Types.Decimal?) -> String { value.flatMap { Decimal($0) }?.text ?? "0" }
      let digits = JSONText.quoted(lastFour)
      return
        "{\"id\":\(id),\"code_last4\":\(digits),\"amount\":\(number(amount)),\"base_amount\":\(number(baseAmount))}"
    }
  }
}
