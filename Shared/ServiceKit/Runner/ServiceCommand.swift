/// What a service is asked to do on its command line.
enum ServiceCommand: Equatable {
  case run, check, help, version

  struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// - Parameter arguments: without the program's name.
  init(parsing arguments: some Sequence<String>) throws(UsageError) {
    var command = ServiceCommand.run
    for argument in arguments {
      switch argument {
      case "--check": command = .check
      case "--help", "-h": command = .help
      case "--version": command = .version
      default:
        throw UsageError(description: "unknown argument \"\(argument)\"; allowed are --check, --help and --version")
      }
      // Help wins over whatever else stands on the line.
      if command == .help { break }
    }
    self = command
  }
}
