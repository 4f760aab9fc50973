import EventLoop
import Glibc
import RPC

/// Unary calls of one size on one connection, a fixed number of them in flight.
struct Caller {
  let loop: EventLoop
  let channel: Channel
  let path: String
  let request: [UInt8]
  /// As the load's: see driver/h2load.py.
  let options = CallOptions(
    timeout: .seconds(10),
    metadata: [
      "x-request-id": "3f1c2a9e-7b0d-4c55-9a1e-0d2f6b8c4e71",
      "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ],
    waitForReady: true)

  init(target: String, path: String, bytes: Int) throws {
    let group = try EventLoopGroup(loops: 1)
    loop = group.loops[0]
    channel = Channel(target: try Target(parsing: target), group: group)
    self.path = path
    request = [UInt8](repeating: UInt8(ascii: "x"), count: bytes)
  }

  /// Prints what ran as a JSON object.
  func measure(calls: Int, inFlight: Int) async throws {
    try await run(calls: calls / 10 + inFlight, inFlight: inFlight)  // warms it up
    let (cpu, start) = (Caller.cpuSeconds(), EventLoop.monotonicNanoseconds())
    try await run(calls: calls, inFlight: inFlight)
    let seconds = Double(EventLoop.monotonicNanoseconds() - start) / 1e9
    print("{\"calls\": \(calls), \"seconds\": \(seconds), \"cpu_seconds\": \(Caller.cpuSeconds() - cpu)}")
  }

  /// The callers are tasks on the channel's loop, as those of a service are.
  private func run(calls: Int, inFlight: Int) async throws {
    let loop = loop
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for index in 0..<inFlight {
        let share = calls / inFlight + (index < calls % inFlight ? 1 : 0)
        tasks.addTask(executorPreference: loop) { try await call(share) }
      }
      try await tasks.waitForAll()
    }
  }

  private func call(_ count: Int) async throws {
    for _ in 0..<count {
      let response = try await channel.unaryBytes(path: path, request: request, options: options)
      guard response.count == request.count else {
        throw RPCError(.dataLoss, "\(response.count) bytes came back of \(request.count) that were sent")
      }
    }
  }

  private static func cpuSeconds() -> Double {
    var usage = rusage()
    // Can't fail for the process itself.
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}
