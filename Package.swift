// swift-tools-version: 6.2
import PackageDescription

/// What every target of Kauri's own is compiled with: the language mode is Swift 6 (the tools version's default),
/// imports say what they need, and a warning is an error.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

/// Tests are compiled without optimisation also in the one release build: it saves minutes, and Swift 6.3.1's optimiser crashes on some of
/// the asynchronous closures that tests are made of.
let testing = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

let package = Package(
  name: "kauri",
  products: [
    .executable(name: "kauri", targets: ["kauri"])
  ],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.81.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .target(name: "Postgres", dependencies: ["CLibpq"], swiftSettings: strict),
    .target(name: "Ledger", swiftSettings: strict),
    .target(name: "Commands", dependencies: ["Ledger"], swiftSettings: strict),
    .target(
      name: "EventStore", dependencies: ["CLZ4", "Postgres", "Ledger", "Commands", crypto, logging, metrics],
      swiftSettings: strict),
    .target(
      name: "Projections", dependencies: ["Postgres", "Ledger", "Commands", "EventStore", logging],
      swiftSettings: strict),
    .target(
      name: "Server",
      dependencies: [
        "Postgres", "Ledger", "Commands", "EventStore", "Projections",
        hummingbird, jwt, logging, metrics, lifecycle, crypto,
      ],
      swiftSettings: strict),
    .target(
      name: "LocalStack", dependencies: ["Postgres", subprocess, system, jwt, logging, crypto],
      swiftSettings: strict),
    .executableTarget(
      name: "kauri",
      dependencies: [
        "Postgres", "Ledger", "Commands", "EventStore", "Projections", "Server", "LocalStack",
        arguments, histogram, httpClient, hummingbird, nio, nioHTTP, crypto, logging, lifecycle, signals,
      ],
      swiftSettings: strict),
    .testTarget(name: "PostgresTests", dependencies: ["Postgres", "LocalStack"], swiftSettings: testing),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger"], swiftSettings: testing),
    .target(
      name: "BookByChance", dependencies: ["Commands", "Ledger"], path: "Tests/BookByChance", swiftSettings: testing),
    .testTarget(name: "CommandsTests", dependencies: ["BookByChance", "Commands", "Ledger"], swiftSettings: testing),
    .testTarget(
      name: "EventStoreTests", dependencies: ["EventStore", "Commands", "Ledger", "Postgres", "LocalStack", crypto],
      exclude: ["Samples"],
      swiftSettings: testing),
    .testTarget(
      name: "ProjectionsTests",
      dependencies: [
        "Projections", "EventStore", "Commands", "Ledger", "Postgres", "LocalStack", crypto, logging,
      ],
      swiftSettings: testing),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "Server", "Projections", "EventStore", "Commands", "Ledger", "Postgres", hummingbird, jwt, crypto, logging,
        lifecycle, .product(name: "HummingbirdTesting", package: "hummingbird"),
      ],
      swiftSettings: testing),
    .testTarget(
      name: "LocalStackTests", dependencies: ["LocalStack", "Postgres", jwt, crypto, logging], swiftSettings: testing),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "kauri", "BookByChance", "Server", "LocalStack", "Postgres", "Ledger", "Commands", "EventStore", "Projections",
        crypto, logging, httpClient, subprocess, nio, nioHTTP,
      ],
      swiftSettings: testing),
  ]
)
