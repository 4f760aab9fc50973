import EventLoop

/// What each session is told first.
enum SessionSettings {
  static func sql(schema: String, _ options: DatabaseOptions) -> String {
    """
    SET search_path TO \(Identifier.quoted(schema));
    SET statement_timeout = \(options.statementTimeout.nanoseconds / 1_000_000);
    SET lock_timeout = \(options.busyTimeout.nanoseconds / 1_000_000);
    SET idle_in_transaction_session_timeout = 60000;
    SET client_min_messages = error;
    SET standard_conforming_strings = on;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
    """
  }
}

/// A name in SQL.
enum Identifier {
  static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

  static func literal(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
