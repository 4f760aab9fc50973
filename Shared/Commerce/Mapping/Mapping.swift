/// What of the shop is called what at the OMS, and how it is treated: data of the merchant, from a file. One directive a line:
///
///     website base = EU-STORE vat-country=DE            its sales channel
///     store german = EU-STORE-DE                        another channel for one store view
///     aggregate EU-WEB = base source=default            the website that an aggregate of the OMS sells on
///     shipping dhl_express = DHL-EXPRESS "Express"      its SKU in the OMS's catalog, its name there
///     payment adyen_cc = custom gateway=ADYEN           who captures: custom, offline, offline-captured
///     attribute product color = colour                  a custom attribute: level, shop's name, OMS's name
///     service fee = FEE                                 the SKU for what an order's lines don't explain
///
/// `#` begins a comment; what holds blanks is put in double quotes.
public struct Mapping: Sendable, Equatable {
  public struct Website: Sendable, Equatable {
    /// The OMS's sales channel.
    public var channel: String
    /// ISO 3166-1 alpha-2; nil leaves it out.
    public var vatCountry: String?
  }

  public struct Aggregate: Sendable, Equatable {
    /// Code of the website that it sells on.
    public var website: String
    /// The shop's source that its stock is written to; with multi-source inventory only.
    public var source: String?
  }

  public struct ShippingMethod: Sendable, Equatable {
    public var sku: String
    public var name: String
  }

  /// Who has the money of a payment method captured (connector.md §2.7).
  public enum CaptureModel: String, Sendable, CaseIterable {
    /// A payment integration that takes the OMS's commands.
    case custom
    /// The shop has only authorised: the connector captures with the invoice (OFFLINE B).
    case offline
    /// The shop has captured at checkout (OFFLINE A), or nobody captures: a cheque, a bank transfer.
    case offlineCaptured = "offline-captured"
  }

  public struct PaymentMethod: Sendable, Equatable {
    public var model: CaptureModel
    /// The gateway's id at the OMS; OFFLINE where the OMS commands none.
    public var gateway: String = "OFFLINE"
    /// Whether one authorisation can be captured in parts; otherwise once, at the last shipment.
    public var capturesInParts = false
    /// How many days after the order the whole is captured with the first shipment, because the authorisation would end; nil
    /// for never.
    public var authorizationDays: Int?

    public init(
      model: CaptureModel, gateway: String = "OFFLINE", capturesInParts: Bool = false, authorizationDays: Int? = nil
    ) {
      self.model = model
      self.gateway = gateway
      self.capturesInParts = capturesInParts
      self.authorizationDays = authorizationDays
    }
  }

  /// Where an attribute is.
  public enum Level: String, Sendable, CaseIterable {
    case product, order, line, address, payment, returned = "return", refund
  }

  public struct Attribute: Sendable, Equatable {
    public var level: Level
    /// The shop's attribute or field.
    public var source: String
    /// The OMS's attribute.
    public var name: String
  }

  public var websites: [String: Website] = [:]
  public var storeViews: [String: String] = [:]
  public var aggregates: [String: Aggregate] = [:]
  public var shipping: [String: ShippingMethod] = [:]
  public var payments: [String: PaymentMethod] = [:]
  public var attributes: [Attribute] = []
  /// By kind: `fee`, `gift-wrap`.
  public var services: [String: String] = [:]

  /// What holds without a file: Magento's own methods. Flat rate is always `STANDARD` (connector.md §2.2); methods without a
  /// gateway were paid outside of the shop, or not at all.
  public init() {
    shipping["flatrate_flatrate"] = ShippingMethod(sku: "STANDARD", name: "Flat Rate")
    for method in ["checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free"] {
      payments[method] = PaymentMethod(model: .offlineCaptured)
    }
  }

  /// The attributes of one level: the shop's name, the OMS's name.
  public func attributes(of level: Level) -> [(source: String, name: String)] {
    attributes.filter { $0.level == level }.map { ($0.source, $0.name) }
  }
}
