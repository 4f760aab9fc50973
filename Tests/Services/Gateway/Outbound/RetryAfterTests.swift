import HTTP
import Testing

@testable import Gateway

@Suite("Retry-After")
struct RetryAfterTests {
  /// 1994-11-06T08:49:37Z, the example of RFC 9110 §5.6.7.
  private static let example = WallTime(seconds: 784_111_777)

  @Test(
    "seconds, and dates in the three forms of RFC 9110",
    arguments: [
      ("0", 0), ("120", 120), ("Sun, 06 Nov 1994 08:49:37 GMT", 60), ("Sun Nov  6 08:49:37 1994", 60),
      ("Sun, 06 Nov 1994 08:48:37 GMT", 0), ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("99999999999999999999", 31_536_000),
    ])
  func delay(text: String, seconds: Int) {
    let now = WallTime(seconds: Self.example.seconds - 60)
    #expect(RetryAfter.delay(["Retry-After": text], now: now) == .seconds(seconds))
  }

  @Test("a year of two digits is one of this century")
  func obsolete() {
    #expect(RetryAfter.date("Monday, 06-Nov-34 08:49:37 GMT") == WallTime(seconds: 2_046_415_777))
  }

  @Test(
    "what can't be understood is no wait",
    arguments: ["", "soon", "-1", "1.5", "Sun, 06 Foo 1994 08:49:37 GMT", "6 7 8 9 10"])
  func nonsense(text: String) {
    #expect(RetryAfter.delay(["Retry-After": text], now: .now) == nil)
  }

  @Test("a date counts from the server's own time, when it says that")
  func skewed() {
    let headers: HTTPHeaders = [
      "Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:49:27 GMT",
    ]
    #expect(RetryAfter.delay(headers, now: .now) == .seconds(10))
  }
}
