import Messages

/// Stock snapshots in JSON: one, an array of them, or one a line; each a StockSnapshot, or an object with one in its
/// `snapshot`, as the requests have it.
struct SnapshotFile {
  /// As on the command line, for messages.
  let name: String
  private let bytes: [UInt8]
  private let values: [JSONSplitter.Value]

  /// Reads all of it, and each snapshot once, so that nothing is sent of a file that is unreadable further down.
  init(path: String) throws(UsageError) {
    try self.init(name: path == "-" ? "standard input" : path, bytes: InputFile.read(path))
  }

  init(name: String, bytes: [UInt8]) throws(UsageError) {
    self.name = name
    self.bytes = bytes
    do {
      values = try JSONSplitter.split(bytes)
    } catch {
      throw UsageError("\(name), \(error); \(Self.remedy)")
    }
    guard !values.isEmpty else { throw UsageError("\(name) holds no snapshot; \(Self.remedy)") }
    for index in values.indices { _ = try snapshot(index) }
  }

  var count: Int { values.count }

  func snapshot(_ index: Int) throws(UsageError) -> Omsconnector.V1.StockSnapshot {
    let value = values[index]
    let text = Array(bytes[value.range])
    do {
      // An unknown field is ignored, so a request without `snapshot` reads as an empty one.
      if let snapshot = try Omsconnector.V1.ApplyStockSnapshotRequest(json: text).snapshot { return snapshot }
      return try Omsconnector.V1.StockSnapshot(json: text)
    } catch {
      throw UsageError("\(name), \(position(of: error, in: value)): \(error); \(Self.remedy)")
    }
  }

  private static let remedy = "see omsctl stock apply --help for what a snapshot looks like"

  private func position(of error: MessageError, in value: JSONSplitter.Value) -> String {
    guard case .notJSON(let offset, _) = error else { return "in the snapshot that begins in line \(value.line)" }
    let before = bytes[value.range].prefix(max(offset, 0))
    return "line \(value.line + before.count { $0 == UInt8(ascii: "\n") })"
  }
}
