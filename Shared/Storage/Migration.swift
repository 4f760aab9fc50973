/// One step of a schema. Steps are only ever added: a released one stays as it is.
public struct Migration: Sendable {
  /// What it does, for errors.
  public let name: String
  private let sqlite: [String]
  private let postgresql: [String]

  /// A step that both engines understand alike.
  public init(_ name: String, _ statements: [String]) {
    self.init(name, sqlite: statements, postgresql: statements)
  }

  /// A step that each engine has to be told in its own words.
  public init(_ name: String, sqlite: [String], postgresql: [String]) {
    self.name = name
    self.sqlite = sqlite
    self.postgresql = postgresql
  }

  /// Statements, run in order.
  public func statements(for engine: StorageEngine) -> [String] {
    switch engine {
    case .sqlite: sqlite
    case .postgresql: postgresql
    }
  }
}

extension Migration {
  /// Fails with the step's version and name in front of what failed in it.
  func run(version: Int, _ body: () throws(StorageError) -> Void) throws(StorageError) {
    do throws(StorageError) {
      try body()
    } catch {
      throw error.explained("schema version \(version) (\(name))")
    }
  }

  /// - Parameters:
  ///   - version: the schema's that was found.
  ///   - store: as messages call it.
  static func check(version: Int, known: Int, store: String) throws(StorageError) {
    guard version > known else { return }
    throw StorageError(
      .newerSchema, "store \(store) has schema version \(version), this program knows up to \(known)",
      remedy: "start a newer version of the program, or restore a backup from before the upgrade")
  }
}
