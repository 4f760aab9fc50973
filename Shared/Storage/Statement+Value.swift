extension Statement {
  /// An integer column that holds one of a few cases.
  ///
  /// - Parameter what: is said of one that is none of them, such as `the state of order 7`.
  public func value<Value: RawRepresentable>(
    _ column: Int32, of what: @autoclosure () -> String
  ) throws(StorageError) -> Value where Value.RawValue == Int64 {
    try value(column, of: what(), as: Value.init(rawValue:))
  }

  /// As ``value(_:of:)``, for what has its number otherwise than as a raw value.
  public func value<Value>(
    _ column: Int32, of what: @autoclosure () -> String, as known: (Int64) -> Value?
  ) throws(StorageError) -> Value {
    let number = integer(column)
    guard let value = known(number) else { throw Self.unknown("\(number)", what()) }
    return value
  }

  /// A text column that holds one of a few cases.
  ///
  /// - Parameter what: is said of one that is none of them, such as `the kind of catalog run 7`.
  public func value<Value: RawRepresentable>(
    _ column: Int32, of what: @autoclosure () -> String
  ) throws(StorageError) -> Value where Value.RawValue == String {
    let text = text(column)
    guard let value = Value(rawValue: text) else { throw Self.unknown("\"\(text.prefix(40))\"", what()) }
    return value
  }

  /// It is the program's that wrote it: to take it for something else would do what nobody has asked for.
  private static func unknown(_ found: String, _ what: String) -> StorageError {
    StorageError(
      .other, "\(what) is \(found), which is unknown",
      remedy: "start the version of the program that wrote it, or a newer one")
  }
}
