import Messages
import ServiceKit
import Storage

/// `omsctl restore DIRECTORY`
struct RestoreCommand: Command {
  static let path = ["restore"]
  static let arguments = "DIRECTORY"
  static let summary = "puts a backup's stores in the place of those that are there"
  static let details = """
    All services have to be stopped. What was there is kept: on SQLite as the directory data.before_TIME beside it, on
    PostgreSQL as schemas such as gateway_before_TIME. Remove it once it isn't needed any more.

    Where the stores are is said by DATABASE_URL, or by STATE_DIR, as for the services. They have to be of the kind that was
    backed up. On PostgreSQL it needs pg_restore. Services that are older than the backup do not start on it; newer ones
    bring it up to date.

    """

  private let directory: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    directory = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let site = try StoreSite(session.environment)
    let manifest = try BackupManifest(in: directory)
    guard manifest.engine == site.engine else {
      throw UsageError(
        "\(directory) is a backup of \(manifest.engine.name) stores, DATABASE_URL says \(site.engine.name): "
          + "restore it into the kind that it is of")
    }
    try manifest.check(in: directory)
    let kept = try StoreBackup.restore(
      manifest.stores, services: StoreSite.services, from: directory, to: site.location,
      keepingAs: Google.Protobuf.Timestamp.now.compactText
    ) { warning in session.console.complain("omsctl: \(warning)") }
    switch session.format {
    case .json:
      let names = kept.map { JSONText.quoted($0) }.joined(separator: ",")
      session.console.print("{\"restored\":\(manifest.json.dropLast()),\"kept\":[\(names)]}\n")
    case .table:
      session.console.print(manifest.table)
      session.console.print("\n\(site.description) is as of \(manifest.createdAt.text)\n")
      if !kept.isEmpty { session.console.print("what was there is in \(kept.joined(separator: ", "))\n") }
    }
    return 0
  }
}

extension Google.Protobuf.Timestamp {
  /// For names of directories and schemas, e.g. `20240203t040506z`: names in PostgreSQL have no capitals unless they are quoted.
  fileprivate var compactText: String { text.lowercased().filter { $0 != "-" && $0 != ":" } }
}
