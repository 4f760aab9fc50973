import EventLoop
import Testing

@testable import RPC

/// W3C Trace Context, level 1: https://www.w3.org/TR/trace-context-1/
@Suite struct TraceContextTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let span = "b7ad6b7169203331"

  @Test(
    "a valid traceparent is read",
    arguments: [
      ("00-\(trace)-\(span)-00", false),
      ("00-\(trace)-\(span)-01", true),
      // Flags that are not known yet mean nothing.
      ("00-\(trace)-\(span)-ff", true), ("00-\(trace)-\(span)-02", false), ("00-\(trace)-\(span)-09", true),
      // Versions to come begin as version 00 does.
      ("01-\(trace)-\(span)-01", true), ("fe-\(trace)-\(span)-01", true),
      ("01-\(trace)-\(span)-01-", true), ("cc-\(trace)-\(span)-01-what-the-future-will-be-like", true),
    ])
  func valid(text: String, isSampled: Bool) throws {
    let context = try #require(TraceContext(traceparent: text))
    #expect(context.traceID.description == Self.trace)
    #expect(context.spanID == 0xb7ad_6b71_6920_3331)
    #expect(context.isSampled == isSampled)
    // Always passed on as version 00, without what it does not know.
    #expect(context.traceparent == "00-\(Self.trace)-\(Self.span)-0\(isSampled ? 1 : 0)")
  }

  @Test(
    "anything else is no traceparent",
    arguments: [
      "", "0", "00", "00-", "-", "00-\(trace)", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-0",
      // Version 00 has four parts and no more.
      "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-x", "00-\(trace)-\(span)-01.",
      // A version to come goes on with a dash.
      "cc-\(trace)-\(span)-01.what", "01-\(trace)-\(span)-010",
      "ff-\(trace)-\(span)-01", "FE-\(trace)-\(span)-01", ".0-\(trace)-\(span)-01", "0-\(trace)-\(span)-001",
      "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
      "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01", "00-\(trace)-\(span)-0A",
      "00-.af7651916cd43dd8448eb211c80319c-\(span)-01", "00-\(trace)-.7ad6b7169203331-01", "00-\(trace)-\(span)-.1",
      "00-\(trace)0-\(span)-01", "00-\(trace.dropLast())-\(span)-01", "00-\(trace)-\(span.dropLast())-01",
      "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01",
      " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "00-\(trace)-\(span)-é",
      "00-\(trace)-\(span)-+1", "00-\(trace)-\(span)-1\u{0}",
    ])
  func invalid(text: String) { #expect(TraceContext(traceparent: text) == nil) }

  @Test("ids of any value are written as they are read", arguments: [1, 0xF, 0x10, UInt64.max, 0x8000_0000_0000_0000])
  func roundTrip(number: UInt64) throws {
    let context = TraceContext(traceID: .init(high: 0, low: number), spanID: number)
    let read = try #require(TraceContext(traceparent: context.traceparent))
    #expect(read == context)
    #expect(context.traceparent.utf8.count == 55)
  }

  @Test(
    "a tracestate is passed on when it is valid",
    arguments: [
      ("a=1", true), ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true), ("a=1,,b=2", true), ("a=1 , b=2\t", true),
      ("a_-*/0=x", true), ("0tenant@system=x", true), ("a= x", true),
      ("\(String(repeating: "a", count: 255))=1", true), ("a=\(String(repeating: "x", count: 256))", true),
      ((1...32).map { "k\($0)=v" }.joined(separator: ","), true),
      ("", false), (",", false), ("a", false), ("a=", false), ("=1", false), ("A=1", false), ("0a=1", false),
      ("a=1=2", false), ("a=1,a=2", false), ("a@b@c=1", false), ("@b=1", false), ("a@=1", false), ("a@0b=1", false),
      ("a@\(String(repeating: "b", count: 15))=1", false), ("a b=1", false), ("a=é", false), ("a=x\u{7}", false),
      ("a=\(String(repeating: "x", count: 257))", false),
      ((1...33).map { "k\($0)=v" }.joined(separator: ","), false),
      ((1...3).map { "k\($0)=\(String(repeating: "v", count: 200))" }.joined(separator: ","), false),
    ])
  func traceState(text: String, isValid: Bool) { #expect(TraceState.isValid(text) == isValid) }

  private static func received(_ parents: [String], _ states: [String] = []) -> TraceContext {
    var random = LoopRandom()
    var received = ReceivedTrace()
    for var parent in parents { parent.withUTF8 { received.receive(traceparent: $0) } }
    for state in states { received.receive(tracestate: state) }
    return received.context(&random)
  }

  @Test("a call is a child of what came, and passes its state on")
  func child() {
    let context = Self.received(["00-\(Self.trace)-\(Self.span)-01"], ["a=1", "b=2"])
    #expect(context.traceID.description == Self.trace)
    #expect(context.parentSpanID == 0xb7ad_6b71_6920_3331)
    #expect(context.spanID != context.parentSpanID && context.spanID != 0)
    #expect(context.isSampled)
    #expect(context.state == "a=1,b=2")
  }

  @Test("a state that is not valid is left out, the trace goes on")
  func badState() {
    let context = Self.received(["00-\(Self.trace)-\(Self.span)-01"], ["a=1", "b"])
    #expect(context.traceID.description == Self.trace)
    #expect(context.state == "")
  }

  @Test(
    "without one valid traceparent a new trace begins, without state",
    arguments: [[], ["nonsense"], Array(repeating: "00-\(trace)-\(span)-01", count: 2)])
  func new(parents: [String]) {
    let context = Self.received(parents, ["a=1"])
    #expect(context.traceID.description != Self.trace)
    #expect(TraceContext(traceparent: context.traceparent) != nil)
    #expect(context.parentSpanID == 0)
    #expect(!context.isSampled)
    #expect(context.state == "")
  }

  @Test("traces that begin here differ")
  func unique() {
    var random = LoopRandom()
    let ids = Set((0..<10_000).map { _ in TraceContext.root(&random).traceID })
    #expect(ids.count == 10_000)
  }
}
