import Messages
import RPC
import ServiceKit
import Storage

/// Answers the OMS's question how the parcels of a store go (messages.md §4.6, "request_shipping_details"). The OMS waits for the
/// answer: the gateway treats the method as synchronous.
struct CarrierMessages {
  static let requestShippingDetails = "magento.logistics.carrier_management.request_shipping_details"

  let store: SalesStore
  /// nil when none is configured.
  let carrier: ParcelCarrier?

  var methods: [ConsumedMethod] {
    let carrier = carrier
    return [
      ConsumedMethod(Self.requestShippingDetails, in: store.database) { request, _ in
        guard let carrier else {
          throw RPCError.precondition("NO_CARRIER", "no carrier is configured; set SALES_CARRIER")
        }
        guard let shipment = try Magento.Oms.V1.CustomerShipmentDone(json: request.body).shipment else {
          throw RPCError.invalid(field: "shipment", "shipment is missing")
        }
        let packages = try carrier.packages(of: shipment).map { $0.json() }
        // Nothing changes, but the same question gets the same answer.
        return MessageEffect(apply: { _ in }, result: { _ in Array("[\(packages.joined(separator: ","))]".utf8) })
      }
    ]
  }
}
