import ServiceKit
import Storage

/// The connector's front: registers with the OMS, receives its messages, passes calls on and reports timings.
@main struct GatewayMain {
  static let service = ServiceDescription(
    name: "gateway", summary: "the front of the connector: the OMS's messages in, gRPC calls on, timings together",
    settings: GatewaySettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      // Two would deliver the same messages, where they can't share them.
      try StoreSettings.workAlone(service, &setup)
      let database = try StoreSettings.open(
        service, setup.configuration, GatewaySchema.migrations
      ) { options in
        // The journal grows at its end, and what is looked up by a message's id may be anywhere: no cache that is worth its
        // memory holds all of that. This one holds what a commit of 512 messages changes.
        options.writerCacheKiB = 8_192
        Gateway.configure(&options)
      }
      setup.onStop("store") { await database.close() }
      var leases: Database?
      if database.engine == .postgresql {
        let opened = try StoreSettings.open(service, setup.configuration, GatewaySchema.migrations) { options in
          Gateway.configure(&options)
          Gateway.configureLeases(&options)
        }
        setup.onStop("leases") { await opened.close() }
        leases = opened
      }
      try await Gateway.build(&setup, database, leases: leases)
    }
  }
}
