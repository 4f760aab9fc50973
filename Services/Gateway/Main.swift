import ServiceKit

/// The connector's front: registers with the OMS, receives its messages, passes calls on and reports timings.
@main struct GatewayMain {
  static let service = ServiceDescription(
    name: "gateway", summary: "the front of the connector: the OMS's messages in, gRPC calls on, timings together",
    settings: GatewaySettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      // Two would deliver the same messages.
      let lock = try StoreSettings.workAlone(service, &setup)
      let database = try StoreSettings.open(
        service, setup.configuration, GatewaySchema.migrations, lock: lock
      ) { options in
        // The journal grows at its end, and what is looked up by a message's id may be anywhere: no cache that is worth its
        // memory holds all of that. This one holds what a commit of 512 messages changes.
        options.writerCacheKiB = 8_192
      }
      setup.onStop("store") { await database.close() }
      try await Gateway.build(&setup, database, lock)
    }
  }
}
