import Commerce
import Messages

extension ExportableOrder {
  /// The params of `magento.sales.order_management.create` (messages.md §4.4).
  ///
  /// - Parameter attributes: those of the mapping file, besides those of gift cards, store credit and reward points.
  func message(attributes: MappedAttributes = .none) -> Magento.Oms.V1.OrderMessage {
    let paymentReference = "\(order.payment?.entityId ?? 0)"
    let billing = order.billingAddress.map { address($0, attributes) }
    let assigned = order.extensionAttributes?.shippingAssignments.first?.shipping?.address
    let shipping = order.isVirtual ? nil : assigned.map { address($0, attributes) }
    // A virtual order has no shipping address (connector.md §2.2).
    let reference = shipping?.reference ?? billing?.reference ?? ""
    return .init(
      order: .init(
        id: order.incrementId, originalOrderId: order.relationParentRealId, store: channel, statusReason: "",
        ip: order.remoteIp, language: locale,
        vatCountry: vatCountry ?? "", origin: "FRONTEND", originDate: Self.originDate(order.createdAt),
        customer: .init(
          id: order.customerIsGuest || order.customerId == 0 ? "anonymous" : "\(order.customerId)",
          type: order.customerIsGuest || order.customerId == 0 ? "GUEST" : "REGISTERED", segment: "B2C"),
        addresses: addresses(billing, shipping),
        payments: [
          .init(
            reference: paymentReference, currency: order.orderCurrencyCode,
            transactions: [transaction(billing: billing?.reference ?? "", attributes.payment)])
        ],
        lines: lines.map { line in
          let own = line.itemID.flatMap { attributes.lines[$0] } ?? []
          return self.line(line, address: reference, payment: paymentReference, own)
        },
        giftMessage: order.extensionAttributes?.giftMessage?.message ?? "",
        customAttributes: (attributes.order + TenderAttributes.values(of: order, mapping)).map(Self.attribute)))
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

  private func address(
    _ address: Magento.Commerce.V1.OrderAddress, _ attributes: MappedAttributes
  ) -> Magento.Oms.V1.Address {
    .init(
      reference: "\(address.entityId)", addressType: "customer", firstName: address.firstname,
      lastName: address.lastname, address1: address.street.first ?? "",
      address2: address.street.dropFirst().filter { !$0.isEmpty }.joined(separator: ", "), city: address.city,
      state: address.regionCode.isEmpty ? address.region : address.regionCode, zip: address.postcode,
      countryCode: address.countryId, phone: address.telephone,
      email: address.email.isEmpty ? order.customerEmail : address.email,
      customAttributes: (attributes.addresses[address.entityId] ?? []).map(Self.attribute))
  }

  /// Exactly one per order: more may get it rejected. A total of 0, and what nobody captures at the OMS's command, is ZEROPAY
  /// with the gateway OFFLINE (connector.md §2.2).
  private func transaction(
    billing: String, _ attributes: MappedAttributes.Values
  ) -> Magento.Oms.V1.PaymentTransaction {
    let method = order.payment?.method ?? ""
    let isOffline = payment.model != .custom || grandTotal.isZero
    return .init(
      paymentMethod: isOffline ? "ZEROPAY" : method, paymentSubmethod: isOffline ? "ZEROPAY" : method,
      amount: grandTotal.message, billingAddressReference: billing,
      gatewayInformation: .init(
        gatewayId: isOffline ? "OFFLINE" : payment.gateway, account: "",
        transactionId: isOffline ? "" : order.payment?.lastTransId ?? "", authorizationStatus: "AUTHORIZED",
        customAttributes: [Self.attribute(name: "mdc_gateway_processor", value: method)]
          + attributes.map(Self.attribute)))
  }

  private func line(
    _ line: LedgerLine, address: String, payment: String, _ attributes: MappedAttributes.Values
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
    message.customAttributes = attributes.map(Self.attribute)
    if line.kind == .bundle, line.isShippedTogether {
      message.customAttributes.append(
        Self.attribute(name: "mom_srcrr_FilterSourceBundleFromOneSource", value: "SHIPTOGETHER"))
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
}
