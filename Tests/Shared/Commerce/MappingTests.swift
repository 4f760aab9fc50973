import Testing

@testable import Commerce

@Suite("The mapping file")
struct MappingTests {
  @Test("every directive is read")
  func whole() throws {
    let mapping = try Mapping(
      parsing: """
        # our shop
        website base = EU-STORE vat-country=DE
        store german = EU-STORE-DE\t# the German one

        aggregate EU-WEB = base source=default
        shipping dhl_express = DHL-EXPRESS "DHL Express"
        shipping "ups_2nd day" = UPS
        payment adyen_cc = custom gateway=ADYEN
        payment paypal = offline parts=yes authorization-days=29
        attribute product color = colour
        attribute order customer_note
        service fee = FEE
        """)
    #expect(mapping.websites == ["base": .init(channel: "EU-STORE", vatCountry: "DE")])
    #expect(mapping.storeViews == ["german": "EU-STORE-DE"])
    #expect(mapping.aggregates == ["EU-WEB": .init(website: "base", source: "default")])
    #expect(mapping.shipping["dhl_express"] == .init(sku: "DHL-EXPRESS", name: "DHL Express"))
    #expect(mapping.shipping["ups_2nd day"] == .init(sku: "UPS", name: "UPS"))
    #expect(mapping.payments["adyen_cc"] == .init(model: .custom, gateway: "ADYEN"))
    #expect(mapping.payments["paypal"] == .init(model: .offline, capturesInParts: true, authorizationDays: 29))
    #expect(mapping.attributes(of: .product).map { "\($0.source)=\($0.name)" } == ["color=colour"])
    #expect(mapping.attributes(of: .order).map { "\($0.source)=\($0.name)" } == ["customer_note=customer_note"])
    #expect(mapping.services == ["fee": "FEE"])
  }

  @Test("without a file Magento's own methods are mapped")
  func builtIn() {
    let mapping = Mapping()
    #expect(mapping.shipping["flatrate_flatrate"]?.sku == "STANDARD")
    #expect(mapping.payments["checkmo"]?.model == .offlineCaptured)
    #expect(mapping.payments["adyen_cc"] == nil)
  }

  @Test("a file that is too long is none")
  func tooLong() throws {
    let longest = String(repeating: "#", count: Mapping.largestFile)
    #expect(try Mapping(parsing: longest) == Mapping())
    #expect(throws: MappingError(problems: ["1048577 bytes; a mapping has at most 1048576"])) {
      try Mapping(parsing: longest + "#")
    }
  }

  @Test("all that is wrong is said at once, with its line and what to write")
  func problems() throws {
    let error = #expect(throws: MappingError.self) {
      try Mapping(
        parsing: """
          website base
          website shop = A vat-country=Germany

          stores x = y
          payment adyen_cc = custom
          payment p = visa
          payment q = offline parts=maybe
          payment r = offline authorization-days=1000
          shipping a = "b
          shipping c = C D E
          attribute item x = y
          store s = A
          store s = B
          aggregate A = base sources=x
          service x = Y
          website w = = B
          aggregate B = base source=
          """)
    }
    #expect(
      error?.problems == [
        "line 1: write website CODE = CHANNEL [vat-country=CC]",
        "line 2: vat-country \"Germany\" is no country code of two capital letters, such as DE",
        "line 4: \"stores\" is none of website, store, aggregate, shipping, payment, attribute, service",
        "line 5: payment adyen_cc is custom and names no gateway; add gateway=ID",
        "line 6: payment model \"visa\" is none of custom, offline, offline-captured",
        "line 7: parts=maybe is neither yes nor no",
        "line 8: authorization-days=1000 is not a number from 1 to 365",
        "line 9: a double quote is not closed",
        "line 10: write shipping CARRIER_METHOD = SKU [NAME]",
        "line 11: level \"item\" is none of product, order, line, address, payment, return, refund",
        "line 13: store s is mapped on line 12 already",
        "line 14: sources= is not known; write aggregate ID = WEBSITE [source=CODE]",
        "line 15: service \"x\" is none of fee, gift-wrap",
        "line 16: a second =; put it in double quotes if it belongs to a name",
        "line 17: source= has no value; write aggregate ID = WEBSITE [source=CODE]",
      ])
  }
}
