import RPC
import ServiceKit
import Storage

/// The registration in a store that several gateways work on.
struct RegistrationShare: RegistrationSharing {
  /// How long an answer is waited for: the OMS gets 30 s, and who sees to the registration may have to be found first.
  private static let patience = Duration.seconds(60)
  private static let lookInterval = Duration.milliseconds(100)
  /// Between two looks for what others ask.
  private static let serveInterval = Duration.milliseconds(500)
  /// What is older is asked by nobody any more.
  private static let wishNanoseconds: Int64 = 120_000_000_000

  let database: Database

  func load() async throws -> SharedRegistration {
    let (kept, topics) = try await RegistrationStore(database: database).load()
    return SharedRegistration(kept: kept, topics: topics, snapshot: try await snapshot())
  }

  private func snapshot() async throws -> RegistrationSnapshot? {
    let sql = """
      SELECT state, state_since, registered_at, failed_attempts, last_error, next_attempt_at, checked_at, check_result,
        next_check_at, secret_mark
      FROM registration_state
      """
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        func time(_ column: Int32) -> WallTime? {
          statement.isNull(column) ? nil : WallTime(nanoseconds: statement.integer(column))
        }
        guard try statement.step(), let state = RegistrationMachine.State(number: statement.integer(0)) else {
          return nil
        }
        return RegistrationSnapshot(
          state: state, stateSince: WallTime(nanoseconds: statement.integer(1)), registeredAt: time(2),
          failedAttempts: Int(statement.integer(3)), lastError: statement.text(4), nextAttemptAt: time(5),
          checkedAt: time(6), checkResult: statement.text(7), nextCheckAt: time(8), secretMark: statement.blob(9))
      }
    }
  }

  func publish(_ snapshot: RegistrationSnapshot) async throws {
    let sql = """
      INSERT INTO registration_state
        (id, state, state_since, registered_at, failed_attempts, last_error, next_attempt_at, checked_at, check_result,
         next_check_at, secret_mark)
      VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
      ON CONFLICT (id) DO UPDATE SET
        state = excluded.state, state_since = excluded.state_since, registered_at = excluded.registered_at,
        failed_attempts = excluded.failed_attempts, last_error = excluded.last_error,
        next_attempt_at = excluded.next_attempt_at, checked_at = excluded.checked_at,
        check_result = excluded.check_result, next_check_at = excluded.next_check_at, secret_mark = excluded.secret_mark
      """
    try await database.write { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(snapshot.state.number, at: 1)
        try statement.bind(snapshot.stateSince.nanoseconds, at: 2)
        try statement.bind(snapshot.registeredAt?.nanoseconds, at: 3)
        try statement.bind(Int64(snapshot.failedAttempts), at: 4)
        try statement.bind(snapshot.lastError, at: 5)
        try statement.bind(snapshot.nextAttemptAt?.nanoseconds, at: 6)
        try statement.bind(snapshot.checkedAt?.nanoseconds, at: 7)
        try statement.bind(snapshot.checkResult, at: 8)
        try statement.bind(snapshot.nextCheckAt?.nanoseconds, at: 9)
        try statement.bind(snapshot.secretMark, at: 10)
        try statement.run()
      }
    }
  }

  // MARK: Asking

  func ask(_ wish: RegistrationWish) async throws {
    let id = Int64.random(in: 1 ... .max)
    try await database.write { connection in
      let now = try connection.now()
      try connection.withStatement(
        "INSERT INTO registration_wish (id, wish, asked_at, code, message) VALUES (?1, ?2, ?3, NULL, '')"
      ) { statement in
        try statement.bind(id, at: 1)
        try statement.bind(wish.rawValue, at: 2)
        try statement.bind(now, at: 3)
        try statement.run()
      }
    }
    if wish == .look { return }
    let start = ContinuousClock.now
    while .now - start < Self.patience {
      if let (code, message) = try await answer(to: id) {
        _ = try await withdraw(id)
        let code = StatusCode(rawValue: code)
        if code == .ok { return }
        throw RPCError(code, message)
      }
      try await Task.sleep(for: Self.lookInterval)
    }
    guard try await withdraw(id) else { return try await ask(wish) }
    throw RPCError(
      .unavailable, "no gateway that sees to the registration has answered: try again, and see omsctl status",
      details: [.retryInfo(.seconds(5))])
  }

  private func answer(to id: Int64) async throws -> (code: Int, message: String)? {
    try await database.read { connection in
      try connection.withStatement("SELECT code, message FROM registration_wish WHERE id = ?1") { statement in
        try statement.bind(id, at: 1)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return (Int(statement.integer(0)), statement.text(1))
      }
    }
  }

  private func withdraw(_ id: Int64) async throws -> Bool {
    try await database.write { connection in
      try connection.withStatement("DELETE FROM registration_wish WHERE id = ?1") { statement in
        try statement.bind(id, at: 1)
        return try statement.run() > 0
      }
    }
  }

  // MARK: Answering

  /// Does what other gateways ask for, until the task is cancelled.
  func serve(_ registrar: Registrar) async {
    while !Task.isCancelled {
      do {
        // Else another gateway answers.
        if registrar.mayAct() { for (id, wish) in try await open() { try await serve(id, wish, registrar) } }
      } catch {
        Log.warning("what other gateways ask of the registration can't be seen", ["reason": LogValue(error)])
      }
      // A cancelled sleep ends the loop.
      _ = try? await Task.sleep(for: Self.serveInterval)
    }
  }

  private func open() async throws -> [(id: Int64, wish: RegistrationWish)] {
    let open = "SELECT id, wish FROM registration_wish WHERE code IS NULL ORDER BY asked_at, id LIMIT 100"
    let found = try await database.read { connection in
      try connection.withStatement(open) { statement in
        var found: [(id: Int64, wish: RegistrationWish)] = []
        while try statement.step() {
          if let wish = RegistrationWish(rawValue: statement.integer(1)) { found.append((statement.integer(0), wish)) }
        }
        return found
      }
    }
    if found.isEmpty { return [] }
    try await database.write { connection in
      let old = try connection.now() - Self.wishNanoseconds
      try connection.withStatement("DELETE FROM registration_wish WHERE asked_at < ?1") { statement in
        try statement.bind(old, at: 1)
        try statement.run()
      }
    }
    return found
  }

  private func serve(_ id: Int64, _ wish: RegistrationWish, _ registrar: Registrar) async throws {
    var (code, message) = (StatusCode.ok, "")
    do {
      switch wish {
      case .register: try await registrar.register()
      case .unregister: try await registrar.unregister()
      case .disable: try await registrar.disable()
      case .enable: try await registrar.enable()
      case .look:
        await registrar.suspectLost()
        _ = try await withdraw(id)
        return
      }
    } catch {
      (code, message) = ((error as? RPCError)?.code ?? .unavailable, (error as? RPCError)?.message ?? "\(error)")
    }
    let (answered, text) = (Int64(code.rawValue), message)
    try await database.write { connection in
      try connection.withStatement("UPDATE registration_wish SET code = ?1, message = ?2 WHERE id = ?3") { statement in
        try statement.bind(answered, at: 1)
        try statement.bind(text, at: 2)
        try statement.bind(id, at: 3)
        try statement.run()
      }
    }
  }
}
