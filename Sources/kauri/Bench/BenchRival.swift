import Glibc
import Ledger
import LocalStack
import Postgres

/// The two pgbench scripts that group commit is measured against, in databases of their own on the same cluster.
struct BenchRival: Sendable {
  enum Script: String, CaseIterable, Sendable {
    /// The same transfer on Kauri's own schema, one transaction each, the head's lock included.
    case kauriSchema = "kauri-schema-transfer"
    /// Two rows and an entry, without a head.
    case plain = "plain-transfer"

    var database: String {
      switch self {
      case .kauriSchema: "bench_kauri_schema"
      case .plain: "bench_plain"
      }
    }

    var preparation: String {
      switch self {
      case .kauriSchema: "prepare-kauri-schema"
      case .plain: "prepare-plain"
      }
    }

    /// The letter that the marks call it by.
    var letter: String { self == .kauriSchema ? "a" : "b" }
  }

  static let clients = 8

  private let database: @Sendable (String) -> String
  private let scripts: String
  private let accounts: Int
  private let masterKeyFile: String

  /// - Parameters:
  ///   - scripts: the directory of the scripts.
  ///   - accounts: how many accounts they transfer between.
  /// - Throws: ``BenchFault`` when the scripts or pgbench aren't there, or the cluster isn't one that may be added to.
  init(_ stage: BenchStage, scripts: String, accounts: Int) throws {
    guard let database = stage.adminDatabase else {
      throw BenchFault("--against pgbench makes databases, so it needs a cluster of the bench's own or --data-dir")
    }
    for script in Script.allCases where !Files.exists("\(scripts)/\(script.rawValue).sql") {
      throw BenchFault("\(scripts)/\(script.rawValue).sql isn't there; say where with --scripts")
    }
    self.database = database
    self.scripts = scripts
    self.accounts = accounts
    masterKeyFile = stage.masterKeyFile
  }

  /// Makes the databases and fills them.
  func prepare() async throws {
    let executable = try ThisExecutable.path()
    for script in Script.allCases {
      for statement in [
        "drop database if exists \(script.database)",
        "create database \(script.database) owner \(LocalStack.ownerRole)",
      ] {
        try await psql(["--command", statement], database("postgres"))
      }
      let owner = database(script.database) + " user=\(LocalStack.ownerRole)"
      if script == .kauriSchema {
        let outcome = try await Program(executable).run([
          "migrate", "--database", owner, "--master-key", masterKeyFile,
        ])
        guard outcome.succeeded else { throw BenchFault("kauri migrate failed: \(outcome.errors)") }
      }
      try await psql(
        ["--set", "accounts=\(accounts)", "--file", "\(scripts)/\(script.preparation).sql"],
        script == .kauriSchema ? owner : database(script.database))
    }
  }

  /// Removes the databases from a cluster that stays.
  func remove() async throws {
    for script in Script.allCases {
      try await psql(["--command", "drop database if exists \(script.database)"], database("postgres"))
    }
  }

  /// - Returns: transactions a second.
  func run(_ script: Script, seconds: Int) async throws -> Double {
    let output = try await Program("pgbench").output([
      "--no-vacuum", "--protocol", "prepared", "--client", "\(BenchRival.clients)", "--jobs", "2", "--time",
      "\(seconds)", "--define", "accounts=\(accounts)", "--file", "\(scripts)/\(script.rawValue).sql",
      database(script.database) + (script == .kauriSchema ? " user=\(LocalStack.serverRole)" : ""),
    ])
    let line = output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
    guard let rate = line?.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }) else {
      throw BenchFault("pgbench didn't say how fast it was:\n\(output)")
    }
    if let failed = output.split(separator: "\n").first(where: { $0.contains("failed transactions: ") }),
      !failed.contains("failed transactions: 0 ")
    {
      throw BenchFault("pgbench: \(failed)")
    }
    return rate
  }

  private func psql(_ arguments: [String], _ database: String) async throws {
    try await Program("psql").output(
      ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", database] + arguments)
  }
}
