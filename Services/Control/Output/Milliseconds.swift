/// Durations of a report, with three significant digits and a unit.
enum Milliseconds {
  static func format(_ milliseconds: Double) -> String {
    // Whole numbers are made of it: 30 000 years do.
    guard milliseconds.isFinite, abs(milliseconds) < 1e15 else { return "\(milliseconds) ms" }
    return switch milliseconds {
    case ..<1: "\(Int((milliseconds * 1000).rounded())) µs"
    case ..<1000: "\(significant(milliseconds)) ms"
    default: "\(significant(milliseconds / 1000)) s"
    }
  }

  private static func significant(_ value: Double) -> String {
    let places = value < 10 ? 2 : value < 100 ? 1 : 0
    let factor: Double = places == 2 ? 100 : places == 1 ? 10 : 1
    let scaled = Int((value * factor).rounded())
    guard places > 0 else { return String(scaled) }
    let fraction = String(scaled % Int(factor))
    return "\(scaled / Int(factor)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }
}
