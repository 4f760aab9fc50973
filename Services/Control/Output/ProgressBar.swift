/// How far something has come, on one line of a terminal's standard error that is written again and again; nothing elsewhere, so
/// that no log is full of it.
struct ProgressBar {
  private static let cells = 30

  private let console: Console
  private let unit: String
  private var shown = ""

  /// - Parameter unit: what is counted, e.g. `rows`.
  init(_ console: Console, unit: String) {
    self.console = console
    self.unit = unit
  }

  mutating func show(_ done: Int64, of total: Int64) {
    guard console.showsProgress else { return }
    let text = Self.text(done, of: total, unit: unit)
    guard text != shown else { return }
    shown = text
    console.showProgress("\r" + text)
  }

  /// Takes the bar away: what follows begins a line.
  mutating func end() {
    guard !shown.isEmpty else { return }
    console.showProgress("\r" + String(repeating: " ", count: DisplayText.width(shown)) + "\r")
    shown = ""
  }

  static func text(_ done: Int64, of total: Int64, unit: String) -> String {
    let share = total <= 0 ? 1 : min(1, max(0, Double(done) / Double(total)))
    let full = Int(share * Double(cells))
    let bar = String(repeating: "#", count: full) + String(repeating: "-", count: cells - full)
    let percent = String(Int(share * 100))
    return "[\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(done) of \(total) \(unit)"
  }
}
