import Commerce
import TestSupport
import Testing

@Suite("Exact decimals")
struct DecimalTests {
  @Test(
    "texts of senders are read exactly, and written without zeros at the end",
    arguments: [
      ("0", "0"), ("128", "128"), ("4.20", "4.2"), ("-0.05", "-0.05"), (".5", "0.5"), ("1e3", "1000"),
      ("1.25e1", "12.5"),
      ("12e-3", "0.012"), ("0.000000000001", "0.000000000001"), ("0.0000000000005", "0.000000000001"),
      ("0.00000000000049", "0"), ("-0.0000000000005", "-0.000000000001"), ("5e-13", "0.000000000001"),
      ("5e-14", "0"), ("1e-999999", "0"), ("0e999999", "0"), ("000012.50", "12.5"),
      ("999999999999.9999", "999999999999.9999"),
      ("1000000000000", "1000000000000"), ("33.333333333333333333", "33.333333333333"),
    ])
  func reading(text: String, expected: String) {
    #expect(Decimal(text)?.text == expected)
  }

  @Test(
    "what is no number, or larger than any amount, is none",
    arguments: [
      "", "abc", "1.2.3", " 1", "1 ", "NaN", "Infinity", "1000000000000.01", "1e13", "1e999999", "--1", "0x1",
    ])
  func refused(text: String) {
    #expect(Decimal(text) == nil)
  }

  @Test(
    "rounding goes half away from zero",
    arguments: [
      ("1.005", 2, "1.01"), ("-1.005", 2, "-1.01"), ("1.0049", 2, "1"), ("2.5", 0, "3"), ("-2.5", 0, "-3"),
      ("1.4999999", 0, "1"), ("0.0005", 3, "0.001"), ("7", 2, "7"),
    ] as [(String, Int, String)])
  func rounding(text: String, places: Int, expected: String) throws {
    #expect(try #require(Decimal(text)).rounded(places).text == expected)
  }

  @Test("products and quotients are exact to twelve places")
  func products() throws {
    let price = try #require(Decimal("19.99")), rate = try #require(Decimal("0.0825"))
    #expect((price * rate).text == "1.649175")
    #expect((Decimal(1) / Decimal(3)).text == "0.333333333333")
    #expect((Decimal(2) / Decimal(3)).text == "0.666666666667")
    #expect((Decimal(-2) / Decimal(3)).text == "-0.666666666667")
    #expect((Decimal.limit * Decimal.limit).text == "1000000000000000000000000")
  }

  @Test("1.00 over three units is .33 .33 .34")
  func split() {
    #expect(Decimal(1).split(into: 3, places: 2).map(\.text) == ["0.33", "0.33", "0.34"])
    #expect(Decimal(-1).split(into: 3, places: 2).map(\.text) == ["-0.33", "-0.33", "-0.34"])
    #expect(Decimal(100).split(into: 3, places: 0).map(\.text) == ["33", "33", "34"])
    #expect(Decimal(0).split(into: 2, places: 2).map(\.text) == ["0", "0"])
  }

  @Test("parts in proportion to weights add up to the whole, none off by more than one step", arguments: 0..<500)
  func spread(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let places = [0, 2, 3].randomElement(using: &random) ?? 2
    let amount = try #require(Decimal("\(Int.random(in: -1_000_000_000...1_000_000_000, using: &random))e-4"))
    let weights = (0..<Int.random(in: 1...20, using: &random)).map { _ in
      Decimal(Bool.random(using: &random) ? 0 : Int.random(in: 0...1_000_000, using: &random))
    }
    let parts = amount.spread(over: weights, places: places)
    #expect(parts.sum() == amount, "seed \(seed)")
    let total = weights.sum()
    let step = Decimal("1e-\(places)") ?? 1
    for (part, weight) in zip(parts, weights).dropLast() where !total.isZero {
      let exact = amount * weight / total
      #expect((part - exact).magnitude <= step, "seed \(seed): \(part) for \(exact)")
      #expect(part.rounded(places) == part, "seed \(seed)")
    }
  }

  @Test("the largest numbers that are read can be spread and multiplied")
  func largest() {
    let parts = Decimal.limit.spread(over: [.limit, .limit, 1], places: 2)
    #expect(parts.sum() == .limit)
  }

  @Test(
    "a part of a number is exact to twelve places; one that is too large is none",
    arguments: [
      ("1", "1", "3", "0.333333333333"), ("-2", "1", "3", "-0.666666666667"), ("2", "-1", "-3", "0.666666666667"),
      ("1000000000000", "999999999999.999999999999", "1000000000000", "999999999999.999999999999"),
      ("1000000000000", "1000000000000", "1", "1000000000000000000000000"), ("5", "0", "7", "0"), ("5", "1", "0", nil),
      ("1000000000000", "1000000000000", "0.999999999999", nil),
      ("1000000000000", "1000000000000", "-0.000000000001", nil), ("0.000000000001", "1", "-1", "-0.000000000001"),
    ] as [(String, String, String, String?)])
  func scaled(number: String, share: String, whole: String, expected: String?) throws {
    let (number, share, whole) = (
      try #require(Decimal(number)), try #require(Decimal(share)), try #require(Decimal(whole))
    )
    #expect(number.scaled(by: share, over: whole)?.text == expected)
  }

  @Test("minor units of currencies", arguments: [("EUR", 2), ("JPY", 0), ("KWD", 3), ("XXX", 2)])
  func currencies(code: String, places: Int) {
    #expect(Currency.places(of: code) == places)
  }
}
