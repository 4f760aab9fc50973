import Glibc
import TestSupport

@testable import Storage

/// A directory that is removed, with all in it, with the last reference.
final class TemporaryFolder: Sendable {
  private let directory: String

  init() throws {
    var template = Array("/tmp/oms-folder-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(directory) }

  /// Of something in it; an empty name is the directory's.
  func path(_ name: String) -> String { name.isEmpty ? directory : "\(directory)/\(name)" }
}
