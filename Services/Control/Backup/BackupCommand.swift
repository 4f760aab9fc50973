import Glibc
import Messages
import ServiceKit
import Storage

/// `omsctl backup DIRECTORY`
struct BackupCommand: Command {
  static let path = ["backup"]
  static let arguments = "DIRECTORY"
  static let summary = "copies the stores of all services, as of one instant, while they run"
  static let details = """
    DIRECTORY is made. It is a backup as soon as it has this name; before, it is DIRECTORY.part.

    The stores are those of DATABASE_URL, or of STATE_DIR, as the services have them; the gateway is not asked. On SQLite this
    has to run on the services' machine, as their user or root. On PostgreSQL it needs pg_dump.

    """

  private let directory: String

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    directory = words[0]
  }

  func run(in session: Session) async throws -> Int32 {
    let site = try StoreSite(session.environment)
    let backup = try BackupDirectory(making: directory)
    let manifest: BackupManifest
    do {
      manifest = try make(site, in: backup, session.console)
      try backup.write(manifest.json, to: BackupManifest.file)
      try backup.finish()
    } catch {
      backup.discard()
      throw error
    }
    switch session.format {
    case .json: session.console.print(manifest.json)
    case .table:
      session.console.print(manifest.table)
      session.console.print("\n\(site.description), as of \(manifest.createdAt.text), is in \(directory)\n")
    }
    return 0
  }

  private func make(
    _ site: StoreSite, in backup: BackupDirectory, _ console: Console
  ) throws -> BackupManifest {
    let createdAt = Google.Protobuf.Timestamp.now
    var bar = ProgressBar(console, unit: "MiB")
    defer { bar.end() }
    let stores = try StoreBackup.make(of: StoreSite.services, at: site.location, in: backup.unfinished) { done, total in
      bar.show(done >> 20, of: total >> 20)
    }
    let files = try Set(stores.map(\.file)).sorted().map { name in
      BackupManifest.File(name: name, digest: try FileDigest(of: "\(backup.unfinished)/\(name)"))
    }
    return BackupManifest(
      version: Version.current, engine: site.engine, createdAt: createdAt, stores: stores, files: files)
  }
}

extension Google.Protobuf.Timestamp {
  /// To the second.
  static var now: Google.Protobuf.Timestamp { .init(seconds: Int64(time(nil))) }
}
