import ServiceKit
import Stubs

extension InventoryCapabilities {
  /// So long the doctor tells what was found; nanoseconds.
  static let lately: Int64 = 24 * 3600 * 1_000_000_000

  /// What somebody has changed in the shop's stock.
  ///
  /// - Parameter failure: why it can't be looked for; nil when it can.
  static func findings(_ changes: [ChangedStock.Summary], failure: String?) -> [V1.Finding] {
    let check = "stock-changed-in-shop"
    var findings = changes.map { change in
      let examples = change.examples.map(\.text).joined(separator: "; ")
      let more = change.count > Int64(change.examples.count) ? "; and more" : ""
      return V1.Finding(
        check: check, level: .warning,
        message: "aggregate \(quotable(change.aggregateId)): somebody has changed the stock of \(change.count) SKUs "
          + "in the shop within 24 hours: \(examples)\(more); what the OMS says was sent again",
        remedy: "find out who changes stock there, and take the right from them: quantities belong to the OMS")
    }
    if let failure {
      findings.append(
        .init(
          check: check, level: .warning, message: "what is changed in the shop's stock can't be looked for: \(failure)",
          remedy: "let the integration read source items or stock items, and see that sales runs"))
    }
    if findings.isEmpty {
      findings.append(
        .init(check: check, level: .ok, message: "no stock was found changed in the shop within 24 hours"))
    }
    return findings
  }
}
