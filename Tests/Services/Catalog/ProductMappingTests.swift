import Commerce
import Messages
import Testing

@testable import Catalog

@Suite("From the shop's product to the OMS's")
struct ProductMappingTests {
  @Test("the whole message, with what receivers want though it is empty")
  func message() throws {
    let body = String(decoding: entry(mug()).body, as: UTF8.self)
    #expect(
      body == #"{"product":{"id":"7","type":"simple","sku":"MUG","status":"ACTIVE","#
        + #""name":[{"value":"Mug","channel":"EU-STORE","locale":"en_US"}],"#
        + #""price":{"currency":"EUR","amount":12.5},"price_adjustable":false,"#
        + #""created_at":"2024-02-03T04:05:06+00:00","modified_at":"2024-02-03T04:05:06+00:00","#
        + #""children_skus":[],"custom_attributes":[],"enabled":true}}"#)
  }

  @Test(
    "each type of the shop is one of the OMS's",
    arguments: [
      ("simple", nil, "simple"), ("configurable", nil, "configurable"), ("bundle", nil, "bundle"),
      ("grouped", nil, "grouped"), ("virtual", nil, "virtual"), ("downloadable", nil, "downloadable"),
      ("giftcard", "0", "virtual"), ("giftcard", nil, "virtual"), ("giftcard", "1", "simple"),
      ("giftcard", "2", "simple"), ("subscription", nil, "simple"), ("shipping", nil, "shipping"),
    ])
  func types(type: String, card: String?, expected: String) throws {
    let entry = entry(
      mug {
        $0.type = type
        if let card { $0.attributes["giftcard_type"] = [card] }
      })
    #expect(try sent(entry).type == expected)
    #expect(entry.type == type)
  }

  @Test(
    "a disabled product is inactive; an enabled one may be on another safety stock",
    arguments: [
      (true, nil, ProductStatus.active), (false, nil, .inactive), (true, "Outlet", .outlet),
      (true, "End of life", .endOfLife), (true, "eol", .endOfLife), (false, "Outlet", .inactive),
      (true, "whatever", .active),
    ])
  func statuses(isEnabled: Bool, lifecycle: String?, expected: ProductStatus) throws {
    let product = try sent(
      entry(
        mug {
          $0.isEnabled = isEnabled
          if let lifecycle { $0.attributes["lifecycle"] = [lifecycle] }
        }))
    #expect(product.status == expected.rawValue)
    #expect(product.enabled == (expected != .inactive))
    #expect(product.customAttributes.isEmpty, "what is the status is no attribute")
  }

  @Test("only configurable products have children")
  func children() throws {
    for (type, expected) in [("configurable", ["A", "B"]), ("bundle", []), ("grouped", [])] {
      #expect(try sent(entry(mug { $0.type = type }, children: ["A", "B"])).childrenSkus == expected)
    }
  }

  @Test("a bundle ships together when the shop says so", arguments: [("0", true), ("1", false), (nil, false)])
  func bundles(shipmentType: String?, expected: Bool) {
    let bundle = entry(
      mug {
        $0.type = "bundle"
        if let shipmentType { $0.attributes["shipment_type"] = [shipmentType] }
      })
    #expect(bundle.shipsTogether == expected)
  }

  @Test("choices are sent by their labels, under both spellings of the key; the weight always")
  func attributes() throws {
    let labels = OptionLabels(labels: ["color": ["12": "Blue"], "activity": ["1": "Gym", "2": "Yoga"]])
    let product = try sent(
      entry(
        mug {
          $0.attributes = ["color": ["12"], "activity": ["1,2"]]
          $0.weight = Decimal("0.4000")
        }, labels: labels))
    #expect(
      product.customAttributes == [
        .init(name: "colour", attributeCode: "colour", value: "Blue"),
        .init(name: "activity", attributeCode: "activity", value: "Gym|Yoga"),
        .init(name: "weight", attributeCode: "weight", value: "0.4"),
      ])
    #expect(labels.lacksSome(of: [mug { $0.attributes["color"] = ["13"] }]))
    #expect(
      !labels.lacksSome(of: [mug { $0.attributes["color"] = ["12"] }, mug { $0.attributes["activity"] = ["2,1"] }]))
  }

  @Test("names of other views are sent where they differ")
  func names() throws {
    let product = try sent(entry(mug { $0.localNames = ["default": "Mug", "german": "Becher", "bargains": "Cheap"] }))
    #expect(
      product.name == [
        .init(value: "Mug", channel: "EU-STORE", locale: "en_US"),
        .init(value: "Becher", channel: "EU-STORE", locale: "de_DE"),
      ])
    #expect(try sent(entry(mug { $0.localNames = ["german": "Mug"] })).name.count == 1)
    #expect(try sent(entry(mug { $0.name = "" })).name.first?.value == "MUG")
  }

  @Test("a product without a price, and one without a name, are products")
  func without() throws {
    #expect(try sent(entry(mug { $0.price = nil })).price == nil)
    #expect(try sent(entry(mug { $0.id = 0 })).id == "MUG")
  }

  @Test(
    "pictures are addressed as shoppers see them",
    arguments: [
      ("/m/u/mug.jpg", "https://shop.example/media/catalog/product/m/u/mug.jpg"),
      ("m/u/my mug.jpg", "https://shop.example/media/catalog/product/m/u/my%20mug.jpg"),
      ("no_selection", ""), ("", ""), ("https://cdn.example/mug.jpg", "https://cdn.example/mug.jpg"),
    ])
  func pictures(file: String, expected: String) {
    #expect(entry(mug { $0.attributes["image"] = [file] }).imageURL == expected)
  }

  @Test(
    "pub is taken out of addresses, once and only as a folder",
    arguments: [
      ("https://shop.example/pub/media/", "https://shop.example/media/"),
      ("https://shop.example/pub/media", "https://shop.example/media/"),
      ("https://pub/media/", "https://pub/media/"),
      ("https://a.example/public/media/", "https://a.example/public/media/"),
      ("", ""),
    ])
  func pub(url: String, expected: String) { #expect(ShopFacts.withoutPub(url) == expected) }

  @Test("what the shop answers is read: own columns, choices, lists, nulls")
  func reading() throws {
    let product = try product(
      """
      {"id": 9, "sku": "A/B 1", "name": "Ä", "type_id": "configurable", "status": 2, "price": 12.50, "weight": null,
       "created_at": "2024-02-03 04:05:06", "updated_at": "2024-02-03 04:05:07",
       "extension_attributes": {"configurable_product_links": [3, "1"]},
       "custom_attributes": [{"attribute_code": "color", "value": "12"}, {"attribute_code": "activity", "value": ["1", 2]},
        {"attribute_code": "image", "value": null}, {"attribute_code": "other", "value": "x"}]}
      """)
    #expect(product.id == 9 && product.sku == "A/B 1" && product.name == "Ä" && !product.isEnabled)
    #expect(product.price == Decimal("12.5") && product.weight == nil && product.childIDs == [3, 1])
    #expect(product.createdAt == 1_706_933_106 && product.updatedAt == 1_706_933_107)
    #expect(product.attributes == ["color": ["12"], "activity": ["1", "2"], "image": []])
  }

  @Test(
    "what is no product says why",
    arguments: [
      (#"{}"#, "sku is missing"), (#"{"sku": "A", "price": "dear"}"#, "price"),
      (#"{"sku": "A", "price": 1e30}"#, "beyond"), (#"{"sku": ["A"]}"#, "not a product"), (#"[]"#, ""),
    ])
  func unreadable(json: String, reason: String) {
    let problem = #expect(throws: ProductProblem.self) { try product(json) }
    #expect(problem?.description.contains(reason) == true)
  }
}
