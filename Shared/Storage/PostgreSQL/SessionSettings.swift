import EventLoop

/// What each session is told first.
enum SessionSettings {
  static func sql(schema: String, _ options: DatabaseOptions) -> String {
    """
    SET search_path TO \(Identifier.quoted(schema));
    SET statement_timeout = \(options.statementTimeout.nanoseconds / 1_000_000);
    SET lock_timeout = \(options.busyTimeout.nanoseconds / 1_000_000);
    SET idle_in_transaction_session_timeout = \(options.silenceTimeout.nanoseconds / 1_000_000);
    \(keepalive);
    SET client_min_messages = error;
    SET standard_conforming_strings = on;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
    """
  }

  /// The server looks after seconds whether a silent client is there still, rather than after two hours: a machine that is gone
  /// without a word, or cut off, would keep its locks for so long, and nobody could take its place. Others wait for a lock for
  /// five seconds and are tried again.
  static let keepalive = """
    SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 6000
    """
}

/// A name in SQL.
enum Identifier {
  static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
