import Messages
import Testing

@testable import Control

@Suite("CSV files of stock")
struct StockCSVTests {
  private func rows(_ text: String) throws -> [String] {
    try StockCSV(name: "f.csv", bytes: Array(text.utf8)).parts.flatMap(\.items).map {
      "\($0.sku)=\($0.quantity.map { "\($0)" } ?? "-")\($0.unlimited ? "!" : "")"
    }
  }

  @Test(
    "what RFC 4180 allows, and what spreadsheets write",
    arguments: [
      ("sku,quantity\nA,1\nB,-2\n", ["A=1", "B=-2"]), ("sku,quantity\r\nA,1\r\n", ["A=1"]),
      ("sku,quantity\nA,1", ["A=1"]),
      ("\u{FEFF}SKU, Quantity ,UNLIMITED\nA,1,true\nB, 2 ,\nC,3,no\n", ["A=1!", "B=2", "C=3"]),
      ("quantity,sku\n1,A\n\n\n2,B\n", ["A=1", "B=2"]),
      ("sku,quantity\n\"a,\"\"b\"\"\nc\",5\n", ["a,\"b\"\nc=5"]), ("\"sku\",\"quantity\"\n\"A\",\"1\"\n", ["A=1"]),
      ("sku,quantity\nMUG BLUE ß,1\n", ["MUG BLUE ß=1"]),
    ])
  func good(text: String, expected: [String]) throws { #expect(try rows(text) == expected) }

  @Test(
    "what is wrong is named with its line, and nothing is sent",
    arguments: [
      ("", "no heading"), ("sku,quantity\n", "no row"), ("A,1\n", "line 1: column \"a\""),
      ("sku;quantity\nA;1\n", "separated by commas"), ("sku,sku,quantity\n", "comes twice"),
      ("sku\nA\n", "needs the columns"),
      ("sku,quantity\nA\n", "line 2: 1 columns, the heading has 2"), ("sku,quantity\nA,1,2\n", "line 2: 3 columns"),
      ("sku,quantity\n,1\n", "line 2: no sku"), ("sku,quantity\nA,\n", "line 2: quantity \"\" of A"),
      ("sku,quantity\nA,1.5\n", "line 2: quantity \"1.5\""),
      ("sku,quantity\nA,99999999999999999999\n", "is not a whole number"),
      ("sku,quantity,unlimited\nA,1,perhaps\n", "line 2: unlimited \"perhaps\""),
      ("sku,quantity\n\"A\nB,1\n", "line 2: a quote is not closed"),
      ("sku,quantity\n\"A\"x,1\n", "line 2: text behind a closing quote"),
      ("sku,quantity\nA\"B,1\n", "line 2: a quote within a field"),
      ("sku,quantity\nA\u{0},1\n", "line 2: a control character"),
      ("sku,quantity\n\"A\nB\",1\nC,x\n", "line 4: quantity"),
    ])
  func bad(text: String, expected: String) {
    #expect { try rows(text) } throws: { "\($0)".contains(expected) }
  }

  @Test("bytes that are not UTF-8, a line of commas and a field without an end are refused at once")
  func hostile() {
    let heading = Array("sku,quantity\n".utf8)
    for (bytes, expected) in [
      ([0xFF], "line 2: not UTF-8"), ([UInt8](repeating: 0x2C, count: 1 << 20), "line 2: more than 100 columns"),
      ([0x22] + [UInt8](repeating: 0x41, count: 1 << 20), "longer than 64 KiB"),
    ] as [([UInt8], String)] {
      #expect { try StockCSV(name: "f.csv", bytes: heading + bytes) } throws: { "\($0)".contains(expected) }
    }
  }

  @Test("many wrong lines are named, not all")
  func manyProblems() {
    let text = "sku,quantity\n" + String(repeating: "A,x\n", count: 1_000)
    #expect { try rows(text) } throws: { "\($0)".split(separator: "\n").count == StockCSV.namedProblems }
  }

  @Test("a large file goes in parts")
  func parts() throws {
    let text = "sku,quantity\n" + (0..<12_345).map { "S\($0),\($0)\n" }.joined()
    let stock = try StockCSV(name: "f.csv", bytes: Array(text.utf8))
    #expect(stock.parts.map(\.items.count) == [5_000, 5_000, 2_345] && stock.rows == 12_345)
    let long = String(repeating: "x", count: 60_000)
    let wide = try StockCSV(
      name: "f.csv", bytes: Array(("sku,quantity\n" + (0..<100).map { "\(long)\($0),1\n" }.joined()).utf8))
    #expect(wide.parts.count > 4 && wide.parts.flatMap(\.items).count == 100)
  }
}
