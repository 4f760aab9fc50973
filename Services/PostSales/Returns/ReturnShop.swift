import Commerce
import EventLoop
import Messages
import Storage

/// The shop, as returns need it: the RMA routes of Adobe Commerce (magento-rest.md §6).
protocol ReturnShop: Sendable {
  /// Whether the shop has returns at all; Open Source has none.
  func hasReturns() async throws -> Bool
  /// nil when there is none of that id.
  func find(_ entityID: Int64) async throws -> ShopReturn?
  func returns(ofOrder entityID: Int64) async throws -> [ShopReturn]
  func order(_ entityID: Int64) async throws -> ShopOrder
  func options() async throws -> ReturnOptions
  /// Never sent twice: whoever isn't answered looks for the return's mark.
  func create(_ rma: Magento.Commerce.V1.Rma) async throws
  func change(_ entityID: Int64, _ items: [Magento.Commerce.V1.RmaItem]) async throws
  func add(_ track: Magento.Commerce.V1.RmaTrack, to entityID: Int64) async throws
  func comment(_ text: String, on entityID: Int64) async throws
}

/// A return as the shop has it.
struct ShopReturn: Sendable, Equatable {
  var rma: Magento.Commerce.V1.Rma
  /// Custom attributes, by the shop's names.
  var attributes: [Attribute] = []

  var comments: [String] { rma.comments.map(\.comment) }

  init(rma: Magento.Commerce.V1.Rma, attributes: [Attribute] = []) {
    self.rma = rma
    self.attributes = attributes
  }

  init(_ value: JSONValue) throws {
    rma = try Magento.Commerce.V1.Rma(json: value)
    attributes = Attribute.list(value["custom_attributes"])
  }

  /// Whether the connector has made it. Whole comments are compared: people write of the OMS, too.
  func isMade(for rma: String) -> Bool { comments.contains(Self.mark(rma)) }
  func isMade(forOneOf rmas: Set<String>) -> Bool { marks.contains { rmas.contains($0) } }
  /// What stands where a mark has the OMS's id.
  var marks: [String] {
    comments.filter { $0.hasPrefix(Self.prefix) }.map { String($0.dropFirst(Self.prefix.count)) }
  }

  private static let prefix = "OMS return "
  /// The comment by which a return is found again.
  static func mark(_ rma: String) -> String { "\(prefix)\(rma)" }
}

/// What may be chosen of reasons, conditions and resolutions.
struct ReturnOptions: Sendable, Equatable {
  struct Option: Sendable, Equatable {
    var id: String
    var label: String
    /// As the OMS writes such words: capital letters and digits alone.
    var code: String { label.uppercased().filter { $0.isLetter || $0.isNumber } }
  }

  /// By attribute: `reason`, `condition`, `resolution`.
  var options: [String: [Option]]

  func label(_ attribute: String, _ id: String) -> Option? { options[attribute]?.first { $0.id == id } }

  /// The option that the OMS's word means; the first where none does: the shop wants one.
  func id(_ attribute: String, code: String) -> String {
    let wanted = code.uppercased().filter { $0.isLetter || $0.isNumber }
    let all = options[attribute] ?? []
    return (all.first { $0.code == wanted } ?? all.first)?.id ?? ""
  }
}

/// By the REST API.
final class RESTReturnShop: ReturnShop {
  private let client: CommerceClient
  private let pageSize: PageSize
  private let modules: ShopModules

  init(client: CommerceClient, pageSize: PageSize) {
    self.client = client
    self.pageSize = pageSize
    modules = ShopModules(client)
  }

  func hasReturns() async throws -> Bool { try await modules.has(ShopModules.returns) }

  func find(_ entityID: Int64) async throws -> ShopReturn? {
    do {
      return try ShopReturn(try await client.getJSON("V1/returns/\(entityID)").root)
    } catch let error as CommerceError where error.kind == .notFound {
      return nil
    }
  }

  func returns(ofOrder entityID: Int64) async throws -> [ShopReturn] {
    try await client.documents("V1/returns", ofOrder: entityID, pageSize: pageSize) { try ShopReturn($0) }
  }

  func order(_ entityID: Int64) async throws -> ShopOrder {
    try ShopOrder(try await client.getJSON("V1/orders/\(entityID)").root)
  }

  func options() async throws -> ReturnOptions {
    var options: [String: [ReturnOptions.Option]] = [:]
    for attribute in try await client.getJSON("V1/returnsAttributeMetadata").root.elements ?? [] {
      options[attribute.text(of: "attribute_code")] = (attribute["options"]?.elements ?? []).compactMap { option in
        let id = option.text(of: "value")
        return id.isEmpty ? nil : .init(id: id, label: option.text(of: "label"))
      }
    }
    return ReturnOptions(options: options)
  }

  func create(_ rma: Magento.Commerce.V1.Rma) async throws {
    _ = try await client.sendJSON("POST", "V1/returns", Magento.Commerce.V1.ReturnBody(rmaDataObject: rma))
  }

  func change(_ entityID: Int64, _ items: [Magento.Commerce.V1.RmaItem]) async throws {
    let body = Magento.Commerce.V1.ReturnBody(rmaDataObject: .init(entityId: entityID, items: items))
    _ = try await client.sendJSON("PUT", "V1/returns/\(entityID)", body)
  }

  func add(_ track: Magento.Commerce.V1.RmaTrack, to entityID: Int64) async throws {
    _ = try await client.sendJSON(
      "POST", "V1/returns/\(entityID)/tracking-numbers", Magento.Commerce.V1.RmaTrackBody(track: track))
  }

  func comment(_ text: String, on entityID: Int64) async throws {
    _ = try await client.sendText(
      "POST", "V1/returns/\(entityID)/comments",
      #"{"data":{"comment":\#(JSONText.quoted(text)),"rma_entity_id":\#(entityID),"visible_on_front":false,"admin":true}}"#
    )
  }
}
