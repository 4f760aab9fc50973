import CFuzzer
import Glibc

/// What bytes from outside are thrown at. Each says in `run` what must hold, whatever the bytes are.
protocol FuzzTarget: AnyObject {
  /// - Parameter bytes: any number of any; valid during the call only.
  func run(_ bytes: UnsafeRawBufferPointer)
  /// Whether the input is a byte of options and then frames of HTTP/2, which a mutation should leave frames.
  var takesFrames: Bool { get }
}

extension FuzzTarget {
  var takesFrames: Bool { false }
}

/// One program for all targets, so that everything is built once. `FUZZ_TARGET` names the target rather than an argument,
/// since libFuzzer starts the program again with arguments of its own (`-minimize_crash=1`, `-fork=1`).
@main
enum Fuzz {
  private static let makers: [(name: String, make: @Sendable () throws -> any FuzzTarget)] = [
    ("http2-server", { try ServerTarget(input: .bytes) }),
    ("http2-server-frames", { try ServerTarget(input: .script) }),
    ("http2-client", { try ClientTarget(input: .bytes) }),
    ("http2-client-frames", { try ClientTarget(input: .script) }),
    ("hpack", { HPACKTarget() }),
    ("json", { JSONTarget() }),
    ("protobuf", { ProtobufTarget() }),
    ("text", { TextTarget() }),
  ]

  /// Set once, before libFuzzer runs; it calls back on the main thread.
  nonisolated(unsafe) fileprivate static var target: (any FuzzTarget)?

  static func main() throws {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let maker = makers.first(where: { $0.name == name }) else {
      let names = makers.map(\.name).joined(separator: ", ")
      print("FUZZ_TARGET=\(name): not one of \(names)")
      exit(2)
    }
    target = try maker.make()
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    let status = withUnsafeMutablePointer(to: &arguments) { arguments in
      arguments.withMemoryRebound(to: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?).self, capacity: 1) {
        LLVMFuzzerRunDriver(&count, $0) { data, size in
          Fuzz.target?.run(UnsafeRawBufferPointer(start: data, count: size))
          return 0
        }
      }
    }
    exit(status)
  }
}

/// libFuzzer looks this function up by its name.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
  guard Fuzz.target?.takesFrames == true else { return LLVMFuzzerMutate(data, size, limit) }
  return FrameMutator.mutate(data, size, limit, seed)
}

/// Stops the process, which libFuzzer takes for a find, when `condition` does not hold.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  guard condition else { fatalError(message()) }
}
