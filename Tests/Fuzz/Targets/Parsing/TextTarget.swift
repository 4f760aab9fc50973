import Messages

@testable import Gateway
@testable import RPC

/// The small parsers of what comes in header fields, settings and bodies. What one of them takes, it writes so that it
/// takes it again, as the same.
final class TextTarget: FuzzTarget {
  func run(_ bytes: UnsafeRawBufferPointer) {
    var input = Input(bytes)
    let parser = input.byte() % 10
    let bytes = input.remainder()
    let text = String(decoding: bytes, as: UTF8.self)
    switch parser {
    case 0: timeout(bytes)
    case 1: percentEncoding(bytes, text)
    case 2: binaryValue(bytes, text)
    case 3: traceparent(bytes)
    case 4: traceState(text)
    case 5: address(text)
    case 6: target(text)
    case 7: jsonRPC(bytes)
    case 8: status(text)
    default: timestamp(text)
    }
  }

  private func timeout(_ bytes: [UInt8]) {
    guard let nanoseconds = bytes.withUnsafeBufferPointer(Timeout.parse) else { return }
    let again = Array(Timeout.format(nanoseconds: nanoseconds).utf8).withUnsafeBufferPointer(Timeout.parse) ?? 0
    require(again >= nanoseconds, "a timeout of \(nanoseconds) ns is shorter on the wire: \(again)")
  }

  private func percentEncoding(_ bytes: [UInt8], _ text: String) {
    _ = PercentEncoding.decode(bytes)
    require(PercentEncoding.decode(PercentEncoding.encode(text)) == text, "\(text) changes on the wire")
    let limit = Int(bytes.first ?? 0)
    let cut = PercentEncoding.decode(PercentEncoding.encode(text, limit: limit))
    require(text.utf8.starts(with: cut.utf8) && cut.utf8.count <= limit, "\(text) is cut to \(cut)")
  }

  private func binaryValue(_ bytes: [UInt8], _ text: String) {
    let values = BinaryValue.decode(text)
    require(BinaryValue.isValid(text) == (values != nil), "\(text): isValid and decode do not agree")
    for value in (values ?? []) + [bytes] {
      require(BinaryValue.decode(BinaryValue.encode(value)) == [value], "\(value) changes in base64")
    }
  }

  private func traceparent(_ bytes: [UInt8]) {
    guard let trace = bytes.withUnsafeBufferPointer(TraceContext.init(traceparent:)) else { return }
    require(trace.traceparent.utf8.dropFirst(3).dropLast(3).elementsEqual(bytes[3..<52]), "\(trace) is not \(bytes)")
    require(TraceContext(traceparent: trace.traceparent) != nil, "\(trace.traceparent) is not taken")
  }

  private func traceState(_ text: String) {
    guard TraceState.isValid(text) else { return }
    require(text.utf8.count <= TraceState.limit && text.utf8.allSatisfy { 0x20...0x7e ~= $0 || $0 == 9 }, text)
  }

  private func address(_ text: String) {
    guard let address = try? Address(parsing: text) else { return }
    require((try? Address(parsing: address.description)) == address, "\(text) becomes \(address)")
  }

  private func target(_ text: String) {
    guard let target = try? Target(parsing: text) else { return }
    require((try? Target(parsing: target.description)) == target, "\(text) becomes \(target)")
  }

  private func jsonRPC(_ bytes: [UInt8]) {
    do throws(JSONRPCError) {
      let request = try JSONRPCRequest(parsing: bytes)
      require(!request.method.isEmpty, "a request without a method")
      require((try? JSONDocument(parsing: Array(request.id.utf8))) != nil, "the id \(request.id) is not JSON")
      _ = request.string(at: ["a", "b"])
      guard let params = request.params?.bytes else { return }
      require((try? JSONDocument(parsing: params)) != nil, "params are handed on that are not JSON")
    } catch {
      require((try? JSONDocument(parsing: Array(error.id.utf8))) != nil, "the id \(error.id) is not JSON")
    }
  }

  private func status(_ text: String) {
    _ = Pushback(milliseconds: text)
    var metadata = Metadata()
    metadata.append(StatusDetails.name, text)
    for detail in StatusDetails.decode(metadata, code: .unknown) { _ = detail.packed }
  }

  private func timestamp(_ text: String) {
    guard let timestamp = try? Google.Protobuf.Timestamp(parsing: text) else { return }
    require((try? Google.Protobuf.Timestamp(parsing: timestamp.text)) == timestamp, "\(text) becomes \(timestamp.text)")
  }
}
