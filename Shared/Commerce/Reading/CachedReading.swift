import EventLoop

/// Something of the shop that changes seldom and is read anew when it is too old. Who comes while it is read waits for the same
/// reading.
public actor CachedReading<Value: Sendable> {
  private let age: Duration
  private let read: @Sendable () async throws -> Value
  private var value: (value: Value, readAt: UInt64)?
  private var reading: Task<Value, any Error>?

  /// - Parameter age: how old it may be.
  public init(for age: Duration, _ read: @escaping @Sendable () async throws -> Value) {
    self.age = age
    self.read = read
  }

  /// - Parameter atMost: how old it may be this time.
  public func current(atMost: Duration? = nil) async throws -> Value {
    if let value, EventLoop.monotonicNanoseconds() - value.readAt < (atMost ?? age).nanoseconds { return value.value }
    if let reading { return try await reading.value }
    let read = read
    let task = Task { try await read() }
    reading = task
    defer { reading = nil }
    let new = try await task.value
    value = (new, EventLoop.monotonicNanoseconds())
    return new
  }

  /// What was read does not hold any more: the shop has answered as if it were otherwise.
  public func forget() { value = nil }
}
