import Glibc
import RPC

/// What the RPC benchmark measures of ours: a server that echoes, a hop in front of it, and a client that calls it.
@main struct Main {
  static let usage = """
    usage: benchmark-echo serve ADDRESS [CERTIFICATE KEY]
           benchmark-echo forward TARGET ADDRESS
           benchmark-echo call TARGET METHOD CALLS IN_FLIGHT BYTES
    ADDRESS: HOST:PORT or unix:PATH. TARGET: a gRPC name, e.g. ipv4:127.0.0.1:50051. METHOD: /SERVICE/NAME.
    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      fail(error)
    }
  }

  // Not async: valgrind, which counts our instructions, doesn't get along with the main queue that would serve that.
  private static func run(_ arguments: [String]) throws {
    switch (arguments.first, arguments.count) {
    case ("serve", 2):
      try Echo.serve(on: arguments[1], identity: nil)
    case ("serve", 4):
      let identity = TLSIdentity(certificateFile: arguments[2], keyFile: arguments[3])
      try Echo.serve(on: arguments[1], identity: identity)
    case ("forward", 3):
      try Echo.forward(to: arguments[1], on: arguments[2])
    case ("call", 6):
      guard let calls = Int(arguments[3]), let inFlight = Int(arguments[4]), let bytes = Int(arguments[5]),
        calls > 0, inFlight > 0, bytes >= 0
      else { fallthrough }
      let caller = try Caller(target: arguments[1], path: arguments[2], bytes: bytes)
      Task(executorPreference: caller.loop) {
        do {
          try await caller.measure(calls: calls, inFlight: inFlight)
          exit(0)
        } catch {
          fail(error)
        }
      }
      while true { pause() }
    default:
      print(usage)
      exit(2)
    }
  }

  private static func fail(_ error: any Error) -> Never {
    print("benchmark-echo: \(error)")
    exit(1)
  }
}
