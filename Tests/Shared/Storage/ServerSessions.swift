import Storage
import TestSupport

/// What an administrator can do to the sessions of a store on the server.
enum ServerSessions {
  /// Ends all of them and returns when they are gone.
  static func end(of store: TestStore) async throws {
    let administrator = try TestStore(.postgresql).open([])
    try await administrator.write { connection in
      // The second argument: how long to wait for the end, in milliseconds.
      _ = try connection.number(
        """
        SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity
        WHERE application_name = 'oms-connector/\(store.service)'
        """)
    }
    await administrator.close()
  }
}
