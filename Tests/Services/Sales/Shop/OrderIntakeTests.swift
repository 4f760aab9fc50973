import Testing

@testable import Commerce
@testable import Sales

@Suite("Reading the shop's orders")
struct OrderIntakeTests {
  /// 2024-02-03 04:05:06
  private let now: Int64 = 1_706_933_106

  private func values(_ criteria: SearchCriteria) -> [String] {
    criteria.query.filter { $0.name.hasSuffix("[value]") }.map(\.value)
  }

  @Test("at first only orders that nobody has done anything with, later whatever has changed")
  func states() {
    let subject = OrderIntake.subject(since: nil)
    #expect(values(subject.changed(from: nil, until: now)) == ["new,processing", "2024-02-03 04:05:06"])
    #expect(values(subject.changed(from: now, until: now)) == ["2024-02-03 04:05:06", "2024-02-03 03:55:06"])
  }

  @Test("from SALES_EXPORT_SINCE on, where it is set")
  func since() {
    let subject = OrderIntake.subject(since: (now - 3_600) * 1_000_000_000)
    let all = values(subject.changed(from: nil, until: now))
    #expect(all == ["2024-02-03 03:05:06", "new,processing", "2024-02-03 04:05:06"])
  }
}
