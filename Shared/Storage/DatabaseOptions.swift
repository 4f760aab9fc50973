/// The limits of a ``Database``.
public struct DatabaseOptions: Sendable {
  /// How long a call waits for a lock that another process holds. PostgreSQL counts it for each lock.
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
  // Of PostgreSQL

  /// What bodies that run at the same time, in several processes, see of each other. It is ``Isolation/serializable``, as SQLite
  /// has it, unless every statement is right by itself.
  public var isolation = Isolation.serializable
  /// Whether bodies of a key wait for each other before their transaction reads anything (``Database/write(weight:key:_:)``).
  /// false only puts the bodies of a commit in the order of their keys: enough, and a statement less, where the first thing that
  /// each does is to lock a row of its key, and ``Isolation/readCommitted`` lets it go on from there.
  public var locksKeys = true
  /// How long a statement may run.
  public var statementTimeout: Duration = .seconds(30)
  /// How long the server hears nothing of a body before it ends the transaction, which is run anew. A body waits only for
  /// the server: a silent one is of a process that was frozen, and would keep its locks for as long as that is.
  public var silenceTimeout: Duration = .seconds(5)
  /// How much longer than the timeout of a statement a server may be silent before it is taken for lost.
  var answerGrace: Duration = .seconds(10)
  /// How long calls wait for a server that can't be reached, counted from when it was lost; after that they fail at once.
  public var outageTimeout: Duration = .seconds(15)
  /// How often a commit is tried that other processes' commits make impossible.
  public var maximumConflicts = 10

  // Of SQLite

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

/// How far a transaction of PostgreSQL is kept from those at the same time.
public enum Isolation: Sendable {
  /// As if one ran after the other. What can't be so is run anew.
  case serializable
  /// Each statement sees what is committed when it begins. Costs less, and asks more of the statements: what was read in one
  /// may have changed before the next.
  case readCommitted
}
