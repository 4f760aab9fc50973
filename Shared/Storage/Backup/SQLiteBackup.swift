/// Backups of stores in files: a file a store, without a write-ahead log.
enum SQLiteBackup {
  static func file(of service: String) -> String { "\(service).sqlite" }

  static func make(
    of services: [String], at directory: String, in copies: String, _ onProgress: (Int64, Int64) -> Void
  ) throws(StorageError) -> [StoreBackup.Store] {
    let found = services.sorted().filter { FilePath.exists("\(directory)/\(file(of: $0))") }
    guard !found.isEmpty else {
      throw StorageError(
        .cannotOpen, "there is no store in \(directory)",
        remedy: "let DATABASE_URL, or STATE_DIR, say the same as for the services")
    }
    let cut = try SQLiteCut(found.map { "\(directory)/\(file(of: $0))" })
    let total = try cut.bytes()
    var done: Int64 = 0
    var stores: [StoreBackup.Store] = []
    for (service, reader) in zip(found, cut.readers) {
      let copy = "\(copies)/\(file(of: service))"
      try SQLiteCopy.make(of: reader, at: copy) { onProgress(done + $0, total) }
      done += try reader.bytes()
      let version = Int(try reader.number("PRAGMA user_version"))
      stores.append(StoreBackup.Store(service: service, schemaVersion: version, file: file(of: service)))
    }
    return stores
  }
}
