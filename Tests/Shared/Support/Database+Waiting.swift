import Glibc
import Storage

extension Database {
  /// Returns when a session of the store, on PostgreSQL, waits for a lock that another one has.
  public func waitUntilOneIsBlocked() async throws {
    let blocked = """
      SELECT 1 FROM pg_stat_activity
      WHERE application_name = current_setting('application_name') AND wait_event_type = 'Lock'
      """
    while try await !read({ try $0.withStatement(blocked) { try $0.step() } }) { usleep(1_000) }
  }
}
