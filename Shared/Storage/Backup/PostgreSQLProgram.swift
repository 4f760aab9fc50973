import CPQ
import CSystem
import EventLoop
import Glibc

/// One of PostgreSQL's own programs, run to its end. It is told where the server is by environment variables: arguments, and a
/// password among them, can be read by everybody on the machine.
struct PostgreSQLProgram {
  private let name: String
  private let url: PostgreSQLURL
  /// Whether what the terminal says to all that runs in it, such as Ctrl-C, reaches the program.
  private let hearsTerminal: Bool
  /// What it says is kept up to here, for the error.
  private static let maximumWords = 4_096

  init(_ name: String, url: PostgreSQLURL, hearsTerminal: Bool = true) {
    self.name = name
    self.url = url
    self.hearsTerminal = hearsTerminal
  }

  /// - Throws: `cannotOpen` when the program is not there, else `other` with what it says.
  func run(_ arguments: [String]) throws(StorageError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw StorageError(.other, "\(name): \(SystemError("pipe"))") }
    defer { close(ends[0]) }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    let (process, problem) = spawn(arguments, errors: ends[1])
    close(ends[1])
    guard problem != ENOENT else { throw missing }
    guard problem == 0 else { throw StorageError(.other, "\(name): \(SystemError("posix_spawn", errno: problem))") }
    let words = Self.words(ends[0])
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { throw StorageError(.other, "\(name): \(SystemError("waitpid"))") }
    }
    guard status != 0 else { return }
    let end = status & 0x7f == 0 ? "exit code \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
    throw StorageError(
      .other, "\(name) of \(url.description) ended with \(end): \(OneLine.of(words))",
      remedy: words.contains("version") ? "its version has to be the server's or newer" : nil)
  }

  private var missing: StorageError {
    StorageError(
      .cannotOpen, "\(name) is not on PATH",
      remedy:
        "install PostgreSQL's client programs, of the server's version or newer (Debian: postgresql-client); where the "
        + "server is in a container, they are there: README, Operations")
  }

  /// - Returns: the process, and `errno` unless it was started.
  private func spawn(_ arguments: [String], errors: Int32) -> (process: pid_t, problem: Int32) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    posix_spawn_file_actions_addclose(&actions, errors)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // It hears the terminal by its process group.
    if !hearsTerminal { posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP)) }
    let argumentTexts: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) } + [nil]
    let environmentTexts: [UnsafeMutablePointer<CChar>?] = environment().map { strdup($0) } + [nil]
    defer { for text in argumentTexts + environmentTexts { free(text) } }
    var process = pid_t()
    let problem = posix_spawnp(&process, name, &actions, &attributes, argumentTexts, environmentTexts)
    return (process, problem)
  }

  /// Ours, and what the URL says.
  private func environment() -> [String] {
    let told = PostgreSQLEnvironment.variables(of: url)
    var variables = told.map { "\($0.key)=\($0.value)" }
    guard var entry = csystem_environment() else { return variables }
    while let text = entry.pointee {
      let variable = String(cString: text)
      if told[String(variable.prefix { $0 != "=" })] == nil { variables.append(variable) }
      entry += 1
    }
    return variables
  }

  /// What is written to a pipe until nobody is left to write.
  private static func words(_ descriptor: Int32) -> String {
    var words: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return String(decoding: words, as: UTF8.self) }
      words += buffer[..<count].prefix(maximumWords - words.count)
    }
  }
}

/// The environment variables by which libpq, in any program, is told what a URL says (PostgreSQL's manual, §34.15).
enum PostgreSQLEnvironment {
  /// Parameters that no variable is for, such as those of keepalive, are left out.
  static func variables(of url: PostgreSQLURL) -> [String: String] {
    // As ``ConnectionParameters`` has it.
    var variables = ["PGAPPNAME": "oms-connector/backup", "PGTARGETSESSIONATTRS": "read-write"]
    guard let options = PQconninfoParse(url.text, nil) else { return variables }
    defer { PQconninfoFree(options) }
    var option = options
    while option.pointee.keyword != nil {
      if let name = option.pointee.envvar, let value = option.pointee.val {
        variables[String(cString: name)] = String(cString: value)
      }
      option += 1
    }
    return variables
  }
}
