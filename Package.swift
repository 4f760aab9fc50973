// swift-tools-version: 6.1
import PackageDescription

/// What makes an executable smaller at no cost to its speed: functions of the same code once, relocations packed, which glibc 2.36
/// and newer reads, and no unwinding tables: Swift doesn't unwind, and tools that look at stacks find the frame pointers.
let small: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-use-ld=lld", "-Xlinker", "--icf=all", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker",
      "--no-eh-frame-hdr", "-Xlinker", "-T", "-Xlinker", "\(Context.packageDirectory)/Shared/no-unwinding-tables.ld",
    ],
    .when(platforms: [.linux], configuration: .release))
]

let package = Package(
  name: "oms-connector",
  products: [
    .executable(name: "gateway", targets: ["Gateway"]),
    .executable(name: "catalog", targets: ["Catalog"]),
    .executable(name: "inventory", targets: ["Inventory"]),
    .executable(name: "sales", targets: ["Sales"]),
    .executable(name: "post-sales", targets: ["PostSales"]),
    .executable(name: "omsctl", targets: ["Control"]),
    .executable(name: "benchmark-echo", targets: ["BenchmarkEcho"]),
    .executable(name: "interop-peer", targets: ["InteropPeer"]),
  ],
  targets: [
    // C libraries of the distribution
    .systemLibrary(
      name: "CNghttp2", path: "Shared/CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(
      name: "CProtobufC", path: "Shared/CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(
      name: "CSQLite", path: "Shared/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CPQ", path: "Shared/CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CMicroHTTPD", path: "Shared/CMicroHTTPD", pkgConfig: "libmicrohttpd",
      providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(
      name: "CCurl", path: "Shared/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZlib", path: "Shared/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CJSONC", path: "Shared/CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .systemLibrary(name: "CCrypto", path: "Shared/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CTLS", path: "Shared/CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    // C of our own: what Swift's Glibc module hides, and the generated messages
    .target(name: "CSystem", path: "Shared/CSystem"),
    .target(name: "CMessages", dependencies: ["CProtobufC"], path: "Shared/CMessages"),

    .target(name: "EventLoop", dependencies: ["CSystem"], path: "Shared/EventLoop"),
    .target(name: "Messages", dependencies: ["CMessages", "CProtobufC", "CJSONC"], path: "Shared/Messages"),
    .target(
      name: "RPC", dependencies: ["EventLoop", "Messages", "CNghttp2", "CSystem", "CTLS", "CZlib"], path: "Shared/RPC"),
    .target(name: "Stubs", dependencies: ["RPC", "Messages"], path: "Shared/Stubs"),
    .target(
      name: "Storage", dependencies: ["CSQLite", "CPQ", "CCrypto", "CSystem", "EventLoop"], path: "Shared/Storage"),
    .target(
      name: "HTTP", dependencies: ["EventLoop", "Messages", "CMicroHTTPD", "CCurl", "CCrypto", "CSystem"],
      path: "Shared/HTTP"),
    .target(
      name: "ServiceKit", dependencies: ["RPC", "Stubs", "Messages", "Storage", "EventLoop", "CSystem"],
      path: "Shared/ServiceKit"),
    .target(
      name: "Commerce", dependencies: ["ServiceKit", "HTTP", "Messages", "Storage", "EventLoop"],
      path: "Shared/Commerce"),

    .executableTarget(
      name: "Gateway",
      dependencies: ["ServiceKit", "RPC", "Stubs", "Messages", "Storage", "HTTP", "EventLoop", "CCrypto"],
      path: "Services/Gateway", linkerSettings: small),
    .executableTarget(
      name: "Catalog", dependencies: ["ServiceKit", "Commerce", "RPC", "Stubs", "Messages", "Storage", "EventLoop"],
      path: "Services/Catalog", linkerSettings: small),
    .executableTarget(
      name: "Inventory",
      dependencies: ["ServiceKit", "Commerce", "RPC", "Stubs", "Messages", "Storage", "EventLoop"],
      path: "Services/Inventory", linkerSettings: small),
    .executableTarget(
      name: "Sales",
      dependencies: ["ServiceKit", "Commerce", "HTTP", "RPC", "Stubs", "Messages", "Storage", "EventLoop"],
      path: "Services/Sales", linkerSettings: small),
    .executableTarget(
      name: "PostSales", dependencies: ["ServiceKit", "Commerce", "RPC", "Stubs", "Messages", "Storage", "EventLoop"],
      path: "Services/PostSales", linkerSettings: small),
    .executableTarget(
      name: "Control", dependencies: ["ServiceKit", "RPC", "Stubs", "Messages", "Storage", "EventLoop"],
      path: "Services/Control", linkerSettings: small),

    .executableTarget(
      name: "BenchmarkEcho", dependencies: ["ServiceKit", "RPC", "EventLoop"], path: "Tests/Benchmarks/Echo"),

    // The peer that Tests/Interop sets against other implementations
    .target(name: "CInteropMessages", dependencies: ["CProtobufC"], path: "Tests/Interop/Swift/CMessages"),
    .target(
      name: "InteropMessages", dependencies: ["RPC", "Messages", "CInteropMessages"],
      path: "Tests/Interop/Swift/Messages"),
    .executableTarget(
      name: "InteropPeer", dependencies: ["InteropMessages", "RPC", "EventLoop"], path: "Tests/Interop/Swift/Peer"),

    .target(name: "TestSupport", dependencies: ["Storage", "EventLoop"], path: "Tests/Shared/Support"),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop"], path: "Tests/Shared/EventLoop"),
    .target(name: "CTestMessages", dependencies: ["CMessages"], path: "Tests/Shared/CTestMessages", exclude: ["proto"]),
    .testTarget(
      name: "MessagesTests", dependencies: ["Messages", "CMessages", "CTestMessages", "TestSupport"],
      path: "Tests/Shared/Messages"),
    .testTarget(
      name: "RPCTests", dependencies: ["RPC", "Stubs", "TestSupport", "CNghttp2", "CTLS"], path: "Tests/Shared/RPC"),
    .testTarget(
      name: "StorageTests", dependencies: ["Storage", "TestSupport", "CSystem"], path: "Tests/Shared/Storage"),
    .testTarget(name: "HTTPTests", dependencies: ["HTTP"], path: "Tests/Shared/HTTP"),
    .testTarget(
      name: "CommerceTests", dependencies: ["Commerce", "HTTP", "Storage", "TestSupport"], path: "Tests/Shared/Commerce"
    ),
    .testTarget(
      name: "ServiceKitTests", dependencies: ["ServiceKit", "Storage", "TestSupport"], path: "Tests/Shared/ServiceKit"),
    .testTarget(
      name: "CatalogTests", dependencies: ["Catalog", "Commerce", "HTTP", "TestSupport"], path: "Tests/Services/Catalog"
    ),
    .testTarget(name: "InventoryTests", dependencies: ["Inventory", "TestSupport"], path: "Tests/Services/Inventory"),
    .testTarget(
      name: "ScheduleTests", dependencies: ["Inventory", "ServiceKit", "Storage", "TestSupport"],
      path: "Tests/Services/Schedules"),
    .testTarget(
      name: "PostSalesTests", dependencies: ["PostSales", "Commerce", "TestSupport"],
      path: "Tests/Services/PostSales"),
    .testTarget(
      name: "SalesTests", dependencies: ["Sales", "Commerce", "HTTP", "Storage", "TestSupport"],
      path: "Tests/Services/Sales"),
    .testTarget(name: "ControlTests", dependencies: ["Control", "Storage"], path: "Tests/Services/Control"),
    .testTarget(
      name: "SchemaTests",
      dependencies: ["Gateway", "Catalog", "Inventory", "Sales", "PostSales", "Storage", "TestSupport"],
      path: "Tests/Services/Schemas"),
    .testTarget(
      name: "SettingsTests", dependencies: ["Gateway", "Catalog", "Inventory", "Sales", "PostSales", "Control"],
      path: "Tests/Services/Settings"),
    .testTarget(
      name: "UpgradeTests",
      dependencies: ["Gateway", "Catalog", "Inventory", "Sales", "PostSales", "Storage", "TestSupport"],
      path: "Tests/Services/Upgrade"),
    .testTarget(
      name: "GatewayTests", dependencies: ["Gateway", "TestSupport", "Storage"], path: "Tests/Services/Gateway"),
  ],
  swiftLanguageModes: [.v6]
)

// An async function runs where its caller runs, so that a call's code does not leave its event loop between two lines.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  target.swiftSettings = (target.swiftSettings ?? []) + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
}

// Exclusive access to class properties is checked in debug builds, in which the tests run. On the hot path the checks
// cost a tenth of a call.
for target in package.targets where ["EventLoop", "RPC"].contains(target.name) {
  target.swiftSettings?.append(.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)))
}

// Tests/Fuzz/run builds everything with what libFuzzer needs to see, and the program that it runs in the place of the tests.
if Context.environment["OMS_FUZZING"] != nil {
  package.products = []
  // A program can't be linked with another one's code: the gateway's goes without its main function.
  package.targets.removeAll { $0.type == .test || $0.name == "Gateway" }
  package.targets += [
    .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
    .target(
      name: "FixtureMessages", dependencies: ["Messages", "CTestMessages"], path: "Tests/Shared/Messages/Generated"),
    .target(
      name: "Gateway",
      dependencies: ["ServiceKit", "RPC", "Stubs", "Messages", "Storage", "HTTP", "EventLoop", "CCrypto"],
      path: "Services/Gateway", exclude: ["Main.swift"]),
    .executableTarget(
      name: "Fuzz",
      dependencies: ["CFuzzer", "FixtureMessages", "Gateway", "RPC", "Messages", "EventLoop", "CNghttp2", "CSystem"],
      path: "Tests/Fuzz/Targets"),
  ]
  for target in package.targets where [.regular, .executable].contains(target.type) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing"])]
    target.cSettings = (target.cSettings ?? []) + [.unsafeFlags(["-fsanitize=fuzzer-no-link"])]
  }
}
