/// The limits of a ``Database``.
public struct DatabaseOptions: Sendable {
  /// How long a call waits for a lock that another process holds.
  public var busyTimeout: Duration = .seconds(5)
  /// Calls that share one commit at most.
  public var maximumBatchCount = 512
  /// Sum of the weights that share one commit at most; a single heavier call still gets a commit of its own.
  public var maximumBatchWeight = 10_000
  /// Writes that wait at most; beyond, a write is refused as `overloaded`.
  public var maximumWaitingWrites = 4_096
  /// Sum of the weights that wait at most; beyond, a write is refused as `overloaded`.
  public var maximumWaitingWeight = 640_000
  /// Reads that wait at most; beyond, a read is refused as `overloaded`.
  public var maximumWaitingReads = 4_096
  /// Threads that read, each with a connection of its own.
  public var readers = 2
  /// Page cache of the writer, in KiB, filled as it is needed.
  public var writerCacheKiB = 16_384
  /// Page cache of each reader, in KiB, filled as it is needed.
  public var readerCacheKiB = 2_048
  /// Pages (of 4 KiB) in the write-ahead log from which on they are copied into the file after a commit.
  public var checkpointPages = 4_096
  /// Pages (of 4 KiB) that the file may have; nil leaves it to the disk.
  public var maximumPages: Int?
  /// Told about what fails with nobody waiting for it: a checkpoint. Nothing is lost by that, but the log grows.
  public var onBackgroundError: @Sendable (StorageError) -> Void = { _ in }

  public init() {}
}
