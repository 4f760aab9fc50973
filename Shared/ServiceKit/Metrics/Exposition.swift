/// Text that Prometheus reads: the text-based format 0.0.4.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
public struct Exposition: Sendable {
  /// What goes into the answer's Content-Type.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  public enum Kind: String, Sendable { case counter, gauge, histogram }

  public typealias Labels = KeyValuePairs<String, String>

  /// What has been written so far.
  public private(set) var text = ""

  public init() {}

  /// Begins a metric; its samples follow at once, as the format wants them in one group.
  /// - Parameters:
  ///   - name: as it is exposed, with its unit, and `_total` when it is a counter.
  ///   - help: one sentence without its full stop.
  public mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  public mutating func sample(_ name: String, _ labels: Labels, _ value: UInt64) {
    line(name, Self.rendered(labels), "\(value)")
  }

  public mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
    line(name, Self.rendered(labels), Self.number(value))
  }

  /// - Parameters:
  ///   - bounds: the buckets' upper ends, ascending, without the infinite one.
  ///   - counts: what fell into each bucket alone; one more than bounds.
  ///   - sum: of all that was observed.
  public mutating func histogram(
    _ name: String, _ labels: Labels, bounds: [String], counts: [UInt64], sum: Double
  ) {
    precondition(counts.count == bounds.count + 1, "\(counts.count) counts for \(bounds.count) bounds")
    let labels = Self.rendered(labels)
    let separator = labels.isEmpty ? "" : ","
    var total: UInt64 = 0
    for (index, count) in counts.enumerated() {
      total &+= count
      let bound = index < bounds.count ? bounds[index] : "+Inf"
      line("\(name)_bucket", "\(labels)\(separator)le=\"\(bound)\"", "\(total)")
    }
    line("\(name)_sum", labels, Self.number(sum))
    line("\(name)_count", labels, "\(total)")
  }

  private mutating func line(_ name: String, _ labels: String, _ value: String) {
    text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }

  private static func rendered(_ labels: Labels) -> String {
    labels.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
  }

  /// Label values escape quotes, help texts don't.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// As Go's ParseFloat reads it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
