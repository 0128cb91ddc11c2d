import Glibc

/// The Postgres programs of this machine: those of the newest major version, where there are several.
struct PostgresInstallation: Sendable {
  /// The directory that holds `initdb`, `postgres` and the rest.
  let binaries: String
  /// The major version, `15` for 15.18.
  let majorVersion: Int

  func program(_ name: String) -> Program {
    Program("\(binaries)/\(name)")
  }

  /// Finds the newest installation: Debian's places first, then `PATH`, then where `pg_config` points.
  static func find() async throws -> PostgresInstallation {
    let debian = "/usr/lib/postgresql"
    let versions = directoryEntries(debian).compactMap(Int.init).sorted(by: >)
    for version in versions where isUsable("\(debian)/\(version)/bin") {
      return PostgresInstallation(binaries: "\(debian)/\(version)/bin", majorVersion: version)
    }
    let searched = environment("PATH").split(separator: ":").map(String.init)
    if let directory = searched.first(where: isUsable) { return try await ask(directory) }
    if let configured = try? await Program("pg_config").output(["--bindir"]).trimmed, isUsable(configured) {
      return try await ask(configured)
    }
    throw LocalStackError.programMissing("PostgreSQL's server")
  }

  private static func ask(_ binaries: String) async throws -> PostgresInstallation {
    // "postgres (PostgreSQL) 17.2 (Debian 17.2-1)"
    let answer = try await Program("\(binaries)/postgres").output(["--version"])
    let words = answer.split(separator: " ")
    guard let number = words.first(where: { $0.first?.isNumber == true }),
      let major = Int(number.prefix { $0.isNumber })
    else { throw LocalStackError.failed("can't tell the version of \(binaries)/postgres", detail: answer.trimmed) }
    return PostgresInstallation(binaries: binaries, majorVersion: major)
  }

  private static func isUsable(_ directory: String) -> Bool {
    ["initdb", "postgres", "psql"].allSatisfy { access("\(directory)/\($0)", X_OK) == 0 }
  }

  private static func environment(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }

  private static func directoryEntries(_ path: String) -> [String] {
    (try? Files.entries(of: path)) ?? []
  }
}
