import Messages
import RPC
import ServiceKit

/// The carrier that parcels of stores go with, as it is configured: its tracking numbers and links follow a pattern.
///
/// Ours is the simplest carrier that is useful: a store's parcels go with one company, whose numbers are made of the shipment
/// request's. A carrier with an interface of its own takes the place of this type.
struct ParcelCarrier: Sendable, Equatable {
  let name: String
  let number: CarrierPattern
  /// nil for none.
  let link: CarrierPattern?

  /// Fills in what the OMS wants to know of each package; its id, its items and whatever else it has stay.
  ///
  /// - Throws: `RPCError` when there is no package to tell of.
  func packages(of shipment: Magento.Oms.V1.Shipment) throws(RPCError) -> [Magento.Oms.V1.Package] {
    guard !shipment.packages.isEmpty else {
      throw .invalid(
        field: "shipment.packages",
        "shipment \(quotable(shipment.shipmentRequestId)) of order \(quotable(shipment.orderId)) has no packages; "
          + "send one at least")
    }
    return shipment.packages.map { package in
      var package = package
      package.carrier = name
      var values = [
        "order": shipment.orderId, "request": shipment.shipmentRequestId, "package": package.id,
        "source": shipment.sourceId,
      ]
      if package.trackingNumber.isEmpty { package.trackingNumber = number.text(values) }
      values["number"] = package.trackingNumber
      if let link, package.trackingLink.isEmpty { package.trackingLink = link.text(values, isURL: true) }
      return package
    }
  }
}

/// A text with names in braces that are filled in: `{request}-{package}`.
struct CarrierPattern: Sendable, Equatable {
  private enum Part: Sendable, Equatable {
    case text(String)
    case name(String)
  }

  private let parts: [Part]

  /// - Throws: what is wrong with it.
  init(_ text: String, names: Set<String>) throws(CarrierPatternError) {
    var parts: [Part] = []
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw CarrierPatternError(description: "a { is not closed")
      }
      let name = String(rest[rest.index(after: open)..<close])
      guard names.contains(name) else {
        let known = names.sorted().map { "{\($0)}" }.joined(separator: ", ")
        throw CarrierPatternError(description: "{\(name)} is none of \(known)")
      }
      parts.append(.name(name))
      rest = rest[close...].dropFirst()
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    self.parts = parts
  }

  /// - Parameter isURL: whether values have to be percent-encoded.
  func text(_ values: [String: String], isURL: Bool = false) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .name(let name): isURL ? Self.encoded(values[name] ?? "") : values[name] ?? ""
      }
    }.joined()
  }

  /// RFC 3986 §2.3: all but the unreserved characters.
  private static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}

struct CarrierPatternError: Error, CustomStringConvertible {
  let description: String
}

extension ParcelCarrier {
  /// nil when none is configured.
  ///
  /// - Throws: a line for each pattern that can't be used.
  static func configured(_ configuration: Configuration) throws(ConfigurationError) -> ParcelCarrier? {
    guard let name = configuration[SalesSettings.carrier] else { return nil }
    let names: Set<String> = ["order", "request", "package", "source"]
    var problems: [String] = []
    func pattern(_ text: String, _ names: Set<String>, _ setting: String) -> CarrierPattern? {
      do throws(CarrierPatternError) {
        return try CarrierPattern(text, names: names)
      } catch {
        problems.append("\(setting): \(error)")
        return nil
      }
    }
    let number = pattern(
      configuration[SalesSettings.carrierTrackingNumber], names, SalesSettings.carrierTrackingNumber.name)
    let link = configuration[SalesSettings.carrierTrackingLink].flatMap {
      pattern($0, names.union(["number"]), SalesSettings.carrierTrackingLink.name)
    }
    guard problems.isEmpty, let number else { throw ConfigurationError(problems: problems) }
    return ParcelCarrier(name: name, number: number, link: link)
  }
}
