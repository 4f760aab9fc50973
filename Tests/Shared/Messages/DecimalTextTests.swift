import Testing

@testable import Messages

@Suite("A decimal number's text")
struct DecimalTextTests {
  @Test(
    "sign, digits and exponent",
    arguments: [
      ("0", "0e0", true), ("-0", "-0e0", true), ("4.20", "420e-2", true), ("-0.05", "-5e-2", true),
      ("007", "7e0", false),
      ("+1", "1e0", false), (".5", "5e-1", false), ("5.", "5e0", false), ("1.5e3", "15e2", true),
      ("1E+2", "1e2", true), ("2e-3", "2e-3", true), ("100", "100e0", true),
      ("1e99999999", "1e1000000", true),
      // 38 digits, and one more.
      ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678e0", true),
      ("123456789012345678901234567890123456789", "12345678901234567890123456789012345678…e1", true),
      ("123456789012345678901234567890123456780", "12345678901234567890123456789012345678e1", true),
      ("0.000000000000000000000000000000000000000000001", "1e-45", true),
    ])
  func parts(text: String, parts: String, isJSON: Bool) throws {
    let number = try #require(DecimalText(text))
    #expect(
      "\(number.isNegative ? "-" : "")\(number.coefficient)\(number.isCut ? "…" : "")e\(number.exponent)" == parts)
    #expect(number.isJSON == isJSON)
    #expect(number.digitCount == (number.coefficient == 0 ? 0 : "\(number.coefficient)".utf8.count))
  }

  @Test(
    "what is none",
    arguments: ["", "-", "+", ".", "e5", "1e", "1e+", "1 ", " 1", "1.2.3", "0x10", "１", "1,5", "--1", "NaN", "1e5.0"])
  func none(text: String) {
    #expect(DecimalText(text) == nil)
  }

  @Test(
    "as a whole number it is exact, or none",
    arguments: [
      ("14", ExactInteger.value(isNegative: false, magnitude: 14)), ("-3", .value(isNegative: true, magnitude: 3)),
      ("14.0", .value(isNegative: false, magnitude: 14)), ("1.5e3", .value(isNegative: false, magnitude: 1_500)),
      ("1200e-2", .value(isNegative: false, magnitude: 12)), ("-0.0", .value(isNegative: false, magnitude: 0)),
      ("14.5", .fraction), ("1e-1", .fraction), ("18446744073709551615", .value(isNegative: false, magnitude: .max)),
      ("18446744073709551616", .tooLarge), ("1e20", .tooLarge), ("1e1000000", .tooLarge), ("x", .none),
      ("1.0000000000000000000000000000000000000000000001", .fraction),
      ("123456789012345678901234567890123456789", .tooLarge),
    ])
  func integers(text: String, expected: ExactInteger) {
    var text = text
    #expect(text.withUTF8 { ExactInteger($0) } == expected)
  }
}
