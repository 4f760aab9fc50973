import Storage

extension GatewaySchema {
  /// What the gateway that sees to the registration lets others know, and what they ask it; and the calls of each gateway, for the
  /// one that keeps the history of timings. On SQLite there is one gateway.
  ///
  /// A gateway of a version that worked alone ends when the row is gone by which it knew that it did.
  static let sharedRegistration = Migration(
    "registration and timings of several gateways",
    sqlite: [],
    postgresql: [
      """
      CREATE TABLE registration_state (
        id SMALLINT PRIMARY KEY CHECK (id = 1),
        state SMALLINT NOT NULL, -- RegistrationMachine.State
        state_since BIGINT NOT NULL, -- this and other times: nanoseconds since 1970, UTC
        registered_at BIGINT,
        failed_attempts BIGINT NOT NULL,
        last_error TEXT NOT NULL,
        next_attempt_at BIGINT,
        checked_at BIGINT,
        check_result TEXT NOT NULL,
        next_check_at BIGINT,
        secret_mark BYTEA NOT NULL
      )
      """,
      """
      CREATE TABLE registration_wish (
        id BIGINT PRIMARY KEY,
        wish SMALLINT NOT NULL, -- RegistrationWish
        asked_at BIGINT NOT NULL, -- nanoseconds since 1970, UTC
        code SMALLINT, -- the answer; a gRPC status
        message TEXT NOT NULL
      )
      """,
      """
      CREATE TABLE gateway_timing (
        instance TEXT COLLATE "C" NOT NULL, -- of one start of one gateway
        kind INTEGER NOT NULL, -- EndpointKind
        name TEXT COLLATE "C" NOT NULL,
        histogram BYTEA NOT NULL, -- EndpointHistogram, since the start
        seen_at BIGINT NOT NULL, -- nanoseconds since 1970, UTC
        PRIMARY KEY (instance, kind, name)
      )
      """,
      "DROP TABLE IF EXISTS store_holder",
    ])
}
