import Testing

@testable import Control

@Suite("Table")
struct TableTests {
  @Test("columns are aligned, numbers to the right, by what a terminal shows")
  func aligned() {
    var table = Table(.left("SKU"), .right("QUANTITY"), .left("NOTE"))
    table.add("MUG", "7", "")
    table.add("日本", "12345", "wide")
    table.add("e\u{301}", "-1", "combining")
    #expect(
      table.render() == """
        SKU   QUANTITY  NOTE
        MUG          7
        日本     12345  wide
        é           -1  combining

        """)
  }

  @Test("what a name could do to a terminal is shown instead")
  func controls() {
    var table = Table(.left("SKU"))
    table.add("a\u{1B}[2Jb\n\u{202E}c")
    #expect(table.render() == "SKU\na\\u{1b}[2Jb\\n\\u{202e}c\n")
  }
}
