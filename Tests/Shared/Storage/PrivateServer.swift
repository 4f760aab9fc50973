import CSystem
import Glibc
import Storage

/// A PostgreSQL server for one test, which may stop and start it.
final class PrivateServer: Sendable {
  let directory: String
  let location: StoreLocation

  init() throws {
    var template = Array("/tmp/oms-server-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let url = try Self.run("start", directory)
    location = try StoreLocation(url: String(url.prefix { $0 != "\n" }))
  }

  deinit { _ = try? Self.run("remove", directory) }

  func start() throws { _ = try Self.run("start", directory) }

  /// - Parameter mode: `fast`, or `immediate`, as if the machine had lost its power.
  func stop(_ mode: String) throws { _ = try Self.run("stop", directory, mode) }

  func open(_ configure: (inout DatabaseOptions) -> Void = { _ in }) throws -> Database {
    var options = DatabaseOptions()
    configure(&options)
    return try Database(service: "test", at: location, migrations: TemporaryStore.schema, options: options)
  }

  /// Tests/Support/postgresql.
  private static func run(_ arguments: String...) throws -> String {
    let file = "\(#filePath)"
    let tests = file[..<(file.firstRange(of: "/Tests/Shared/")?.lowerBound ?? file.endIndex)] + "/Tests"
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw StorageError(.other, "socketpair: \(errno)") }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    let command = ["\(tests)/Support/postgresql"] + arguments
    let words = command.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let result = posix_spawn(&process, command[0], &actions, nil, words, csystem_environment())
    close(ends[1])
    guard result == 0 else { throw StorageError(.other, "\(command[0]): \(String(cString: strerror(result)))") }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while case let count = read(ends[0], &buffer, buffer.count), count > 0 { output += buffer[..<count] }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    guard status == 0 else {
      throw StorageError(.other, "\(command.joined(separator: " ")) ended with status \(status)")
    }
    return String(decoding: output, as: UTF8.self)
  }
}
