/// How far names are from each other, for telling what somebody meant who mistyped one.
public enum EditDistance {
  /// Edits – insert, delete, replace – that turn one name into the other (Levenshtein), over the first 64 bytes.
  public static func between(_ left: String, _ right: String) -> Int {
    let from = Array(left.utf8.prefix(64)), to = Array(right.utf8.prefix(64))
    var previous = Array(0...to.count)
    for (row, byte) in from.enumerated() {
      var current = [row + 1]
      for (column, other) in to.enumerated() {
        let replaced = previous[column] + (byte == other ? 0 : 1)
        current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
      }
      previous = current
    }
    return previous[to.count]
  }
}
