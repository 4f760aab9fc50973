import Storage

extension GatewaySchema {
  /// What somebody wants the registration to be, in one row at most, and what the OMS was last asked to send.
  static let registration = Migration(
    "registration",
    sqlite: [
      """
      CREATE TABLE registration (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        goal INTEGER NOT NULL CHECK (goal BETWEEN 1 AND 3), -- RegistrationMachine.Goal
        is_settled INTEGER NOT NULL CHECK (is_settled IN (0, 1)),
        changed_at INTEGER NOT NULL
      ) STRICT
      """,
      "CREATE TABLE registration_topic (method TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    ],
    postgresql: [
      """
      CREATE TABLE registration (
        id SMALLINT PRIMARY KEY CHECK (id = 1),
        goal SMALLINT NOT NULL CHECK (goal BETWEEN 1 AND 3),
        is_settled SMALLINT NOT NULL CHECK (is_settled IN (0, 1)),
        changed_at BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE registration_topic (method TEXT COLLATE "C" PRIMARY KEY)
      """,
    ])

  /// Since when the service of a subscribed method is away, in nanoseconds since 1970; nothing while it is there.
  static let registrationAbsence = Migration(
    "absence of services",
    sqlite: ["ALTER TABLE registration_topic ADD COLUMN away_since INTEGER"],
    postgresql: ["ALTER TABLE registration_topic ADD COLUMN away_since BIGINT"])
}
