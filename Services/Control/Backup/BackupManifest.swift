import Messages
import ServiceKit
import Storage

/// What a backup says about itself, in its file `manifest.json`: the last that is written of it.
struct BackupManifest: Equatable {
  static let file = "manifest.json"
  /// Of the manifest and of the files that it names. One that can't be read by who knows the former gets the next number.
  static let format: Int64 = 1

  struct File: Equatable {
    let name: String
    let digest: FileDigest
  }

  /// Of the omsctl that made it.
  let version: String
  let engine: StorageEngine
  /// When the backup began: what was acknowledged before is in it.
  let createdAt: Google.Protobuf.Timestamp
  let stores: [StoreBackup.Store]
  let files: [File]

  var json: String {
    let stores = stores.map { store in
      "{\"service\":\(JSONText.quoted(store.service)),\"schema_version\":\(store.schemaVersion),"
        + "\"file\":\(JSONText.quoted(store.file))}"
    }
    let files = files.map { file in
      "{\"name\":\(JSONText.quoted(file.name)),\"bytes\":\(file.digest.bytes),"
        + "\"sha256\":\(JSONText.quoted(file.digest.sha256))}"
    }
    return
      "{\"format\":\(Self.format),\"version\":\(JSONText.quoted(version)),\"engine\":\"\(engine.name)\","
      + "\"created_at\":\"\(createdAt.text)\",\"stores\":[\(stores.joined(separator: ","))],"
      + "\"files\":[\(files.joined(separator: ","))]}\n"
  }

  var table: Table {
    var table = Table(.left("STORE"), .right("SCHEMA"), .left("FILE"), .right("BYTES"))
    for store in stores {
      let bytes = files.first { $0.name == store.file }?.digest.bytes ?? 0
      table.add(store.service, String(store.schemaVersion), store.file, String(bytes))
    }
    return table
  }
}

extension BackupManifest {
  /// Reads that of a backup.
  ///
  /// - Throws: ``UsageError`` when `directory` is no backup, or one that this version can't read.
  init(in directory: String) throws(UsageError) {
    let path = "\(directory)/\(Self.file)"
    let bytes = try InputFile.read(path)
    do {
      try self.init(parsing: bytes)
    } catch {
      throw UsageError("\(path): \(error)")
    }
  }

  init(parsing bytes: [UInt8]) throws {
    let root = try JSONDocument(parsing: bytes).root
    guard let format = root["format"]?.integer else { throw UsageError("is not the manifest of a backup") }
    guard format == Self.format else {
      throw UsageError("has format \(format), this omsctl knows \(Self.format): take the version that made it")
    }
    guard let version = root["version"]?.string, let engine = root["engine"]?.string.flatMap(StorageEngine.init(name:)),
      let createdAt = root["created_at"]?.string
    else { throw UsageError("is not whole") }
    self.version = version
    self.engine = engine
    self.createdAt = try Google.Protobuf.Timestamp(parsing: createdAt)
    stores = try (root["stores"]?.elements ?? []).map { try Self.readStore($0, engine) }
    files = try (root["files"]?.elements ?? []).map(Self.readFile)
    let missing = Set(stores.map(\.file)).subtracting(files.map(\.name))
    guard !stores.isEmpty, missing.isEmpty else { throw UsageError("is not whole") }
  }

  /// The names are not taken from the manifest but have to be those that a backup has: they become paths.
  private static func readStore(_ value: JSONValue, _ engine: StorageEngine) throws(UsageError) -> StoreBackup.Store {
    guard let service = value["service"]?.string, let version = value["schema_version"]?.integer,
      let file = value["file"]?.string
    else { throw UsageError("is not whole") }
    guard StoreSite.services.contains(service) else {
      throw UsageError("has a store of \(JSONText.quoted(service)), which this omsctl does not know: take a newer one")
    }
    guard StoreBackup.files(of: [service], engine: engine) == [file] else {
      throw UsageError("has the store of \(service) in \(JSONText.quoted(file)), where it can't be")
    }
    return StoreBackup.Store(service: service, schemaVersion: Int(version), file: file)
  }

  private static func readFile(_ value: JSONValue) throws(UsageError) -> File {
    guard let name = value["name"]?.string, let bytes = value["bytes"]?.integer, let sha256 = value["sha256"]?.string
    else { throw UsageError("is not whole") }
    return File(name: name, digest: FileDigest(bytes: bytes, sha256: sha256))
  }

  /// - Throws: ``UsageError`` when a file is not as it was written.
  func check(in directory: String) throws {
    for store in stores {
      let path = "\(directory)/\(store.file)"
      let found = try FileDigest(of: path)
      guard let expected = files.first(where: { $0.name == store.file })?.digest, found == expected else {
        throw UsageError("\(path) is damaged: it is not what \(Self.file) says; take another copy of the backup")
      }
    }
  }
}
