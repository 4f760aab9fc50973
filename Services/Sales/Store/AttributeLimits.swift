/// Bounds of the custom attributes that the OMS sets on one order, and on each of its lines. It may go on setting others for ever.
enum AttributeLimits {
  static let count = 1_000
  /// Of one attribute.
  static let nameBytes = 256
  static let valueBytes = 4_096
  /// Of all names and values: each line is read and written with its own.
  static let totalBytes = 256 << 10

  /// Sets attributes: what is not named stays (connector.md §2.13), and what there is no room for is left out.
  ///
  /// - Parameter new: each held to ``nameBytes`` and ``valueBytes``.
  /// - Returns: how many were left out.
  static func merge(_ new: [(name: String, value: String)], into attributes: inout [String: String]) -> Int {
    var bytes = attributes.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    var leftOut = 0
    for (name, value) in new {
      let known = attributes[name]
      let grown = bytes + value.utf8.count + (known.map { -$0.utf8.count } ?? name.utf8.count)
      if (known == nil && attributes.count >= count) || (grown > totalBytes && grown > bytes) {
        leftOut += 1
      } else {
        attributes[name] = value
        bytes = grown
      }
    }
    return leftOut
  }
}
