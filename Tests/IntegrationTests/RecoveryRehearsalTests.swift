import Foundation
import Glibc
import LocalStack
import Testing

/// The page on recovery, rehearsed as it stands: what a restore and a failover lost is named, and told to whoever had
/// seen it.
@Suite struct RecoveryRehearsalTests {
  @Test func aRestoreToAChosenSecond() async throws {
    try await Rehearsal.run { rehearsal in
      let (backup, keep, restore, verify, recover) = try Rehearsal.blocks()
      try await rehearsal.succeeds(backup)
      let wanted = try await rehearsal.grow(by: 20)
      let second = try await rehearsal.now()
      let seen = try await rehearsal.grow(by: 15)
      try await rehearsal.succeeds(keep)
      await rehearsal.stopEverything()

      try await rehearsal.succeeds(restore, ["SECOND": second])
      try await rehearsal.tellsWhatIsMissing(verify, after: wanted, upTo: seen)
      try await rehearsal.goesOn(recover, ["SECOND": second], after: wanted, seen: seen)
    }
  }

  @Test func aFailoverThatLosesCommits() async throws {
    try await Rehearsal.run { rehearsal in
      let (_, keep, _, verify, recover) = try Rehearsal.blocks()
      // A standby that follows the primary until the line between them is cut.
      try await rehearsal.succeeds(
        #"""
        pg_basebackup -d "$PRIMARY" -D "$RESTORED" --checkpoint=fast --write-recovery-conf
        echo "unix_socket_directories = '$STANDBY_SOCKET'" >> "$RESTORED/postgresql.auto.conf"
        pg_ctl -D "$RESTORED" -l "$RESTORED.log" -w start
        """#)
      let wanted = try await rehearsal.grow(by: 20)
      try await rehearsal.succeeds(
        #"""
        until [ "$(psql -d "$STANDBY" -Atc 'select position from log_head')" = "\#(wanted)" ]; do sleep 0.1; done
        psql -d "$STANDBY" -qc "alter system set primary_conninfo = ''" -c 'select pg_reload_conf()' > /dev/null
        until [ "$(psql -d "$STANDBY" -Atc 'select count(*) from pg_stat_wal_receiver')" = 0 ]; do sleep 0.1; done
        """#)
      let seen = try await rehearsal.grow(by: 15)
      try await rehearsal.succeeds(keep)
      await rehearsal.stopEverything()

      try await rehearsal.succeeds(
        #"""
        pg_ctl -D "$RESTORED" -w promote
        echo "unix_socket_directories = '$PRIMARY_SOCKET'" >> "$RESTORED/postgresql.auto.conf"
        pg_ctl -D "$RESTORED" -w -m fast stop
        pg_ctl -D "$RESTORED" -l "$RESTORED.log" -w start
        """#)
      try await rehearsal.tellsWhatIsMissing(verify, after: wanted, upTo: seen)
      try await rehearsal.goesOn(recover, ["SECOND": "the failover"], after: wanted, seen: seen)
    }
  }
}

/// A book with its log archived, the places that the page names, and what is tried on them.
private struct Rehearsal: Sendable {
  let cluster: PostgresCluster
  let identity: LocalIdentity
  let server: BankServer
  let directory: String
  let environment: [String: String]

  static func blocks() throws -> (backup: String, keep: String, restore: String, verify: String, recover: String) {
    let page = try #require(Files.read(Repository.path + "/docs/operations.md"))
    let blocks = Walkthrough.blocks(of: page)
    try #require(blocks.count == 5)
    return (blocks[0], blocks[1], blocks[2], blocks[3], blocks[4])
  }

  /// The settings of the page's `conf` block.
  private static func settings(_ archive: String) throws -> [String: String] {
    let page = try #require(Files.read(Repository.path + "/docs/operations.md"))
    let block = try #require(page.firstRange(of: "```conf\n"))
    let lines = page[block.upperBound...].prefix(while: { $0 != "`" }).split(separator: "\n")
    var settings: [String: String] = [:]
    for line in lines {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      settings[parts[0]] = parts[1].trimmingCharacters(in: ["'"]).replacing("$ARCHIVE", with: archive)
    }
    try #require(settings.keys.sorted() == ["archive_command", "archive_mode"])
    return settings
  }

  static func run(_ body: (Rehearsal) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    for name in ["archive", "kept", "bin", "socket"] { try Files.makeDirectory("\(directory)/\(name)", mode: 0o755) }
    // Postgres' own account writes here, also where this runs as root.
    for path in [directory, "\(directory)/archive", "\(directory)/socket"] { try #require(chmod(path, 0o777) == 0) }
    let cluster = try await PostgresCluster.temporary(settings: try settings("\(directory)/archive"))
    let outcome: Result<Void, any Error>
    do {
      let rehearsal = try await prepare(directory, cluster)
      do {
        try await body(rehearsal)
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      await rehearsal.stopEverything()
      _ = try await rehearsal.type(#"if [ -d "$RESTORED" ]; then pg_ctl -D "$RESTORED" -m immediate stop || true; fi"#)
    } catch {
      try? await cluster.destroy()
      throw error
    }
    try await cluster.destroy()
    try Files.remove(directory)
    try outcome.get()
  }

  private static func prepare(_ directory: String, _ cluster: PostgresCluster) async throws -> Rehearsal {
    let identity = try LocalIdentity.prepare(in: directory)
    let token = try await identity.mint(.auditor, subject: "eva", lifetime: .seconds(3_600))
    try Files.write(token, to: "\(directory)/token", mode: 0o600)
    try await makeCommands(in: "\(directory)/bin")
    let owner = cluster.conninfo(user: LocalStack.ownerRole)
    let migration = try await KauriProcess.run([
      "migrate", "--database", owner, "--master-key", identity.masterKeyFile,
    ])
    try #require(migration.status == 0, "\(migration.errors)")
    let server = BankServer(
      arguments: [
        "serve", "--database", cluster.conninfo(user: LocalStack.serverRole), "--port", "0", "--jwks",
        identity.jwksFile, "--master-key", identity.masterKeyFile, "--checkpoint-key", identity.checkpointKeyFile,
      ], logFile: "\(directory)/server")
    try await server.start()
    return Rehearsal(
      cluster: cluster, identity: identity, server: server, directory: directory,
      environment: [
        "PATH": "\(directory)/bin:\(getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin")",
        "PRIMARY": cluster.conninfo(user: "postgres"), "OWNER": owner,
        "PRIMARY_SOCKET": cluster.socketDirectory, "STANDBY_SOCKET": "\(directory)/socket",
        "STANDBY": "host=\(directory)/socket port=5432 dbname=\(LocalStack.database) user=postgres",
        "ARCHIVE": "\(directory)/archive", "BACKUP": "\(directory)/backup", "RESTORED": "\(directory)/restored",
        "KEPT": "\(directory)/kept", "KEYS": directory, "TOKEN": "\(directory)/token",
      ])
  }

  /// `kauri` as it was built, and Postgres' own commands, which refuse to be run by root.
  private static func makeCommands(in bin: String) async throws {
    try await Program("ln").output(["-s", KauriProcess.executable(), "\(bin)/kauri"])
    let prefix = geteuid() == 0 ? "runuser -u postgres -- " : ""
    let directories = try Files.entries(of: "/usr/lib/postgresql").compactMap { Int($0) }
    let binaries = directories.max().map { "/usr/lib/postgresql/\($0)/bin/" } ?? ""
    for name in ["pg_basebackup", "pg_ctl"] {
      try Files.write("#!/bin/sh\ncd / && exec \(prefix)\(binaries)\(name) \"$@\"\n", to: "\(bin)/\(name)", mode: 0o755)
    }
  }

  // MARK: Typing

  private func type(_ script: String, _ more: [String: String] = [:]) async throws -> (status: Int32?, said: String) {
    var exports = ""
    var names = environment.merging(more) { $1 }
    names["URL"] = server.address
    for (name, value) in names { exports += "export \(name)='\(value.replacing("'", with: "'\\''"))'\n" }
    // The page's commands wait for Postgres; what never comes is a failure and not a test that never ends.
    let outcome = try await Program("timeout").run(["180", "bash", "-euc", exports + script])
    return (outcome.exitStatus, outcome.output + outcome.errors)
  }

  func succeeds(_ script: String, _ more: [String: String] = [:]) async throws {
    let (status, said) = try await type(script, more)
    try #require(status == 0, "\(script)\n\(said)")
  }

  func now() async throws -> String {
    try await type(#"psql -d "$PRIMARY" -Atc "select clock_timestamp()""#).said.trimmed
  }

  // MARK: The book

  /// Opens accounts, one commit each.
  ///
  /// - Returns: where the log ends then.
  func grow(by count: Int) async throws -> Int64 {
    let token = try await identity.mint(.operator, subject: "ada", lifetime: .seconds(3_600))
    let body = #"{"account_id":"'"$id"'","kind":"internal","currency":"NZD"}"#
    try await succeeds(
      """
      until curl -sS --fail "$URL/readyz" > /dev/null; do sleep 0.1; done
      for i in $(seq \(count)); do
        id=$(cat /proc/sys/kernel/random/uuid)
        curl -sS --fail -H "Authorization: Bearer \(token)" -H "Idempotency-Key: $id" -H 'Content-Type: application/json' \
          -d '\(body)' "$URL/v1/commands/OpenAccount" > /dev/null
      done
      """)
    return try await head()
  }

  private func head() async throws -> Int64 {
    let said = try await type(#"psql -d "$PRIMARY" -Atc "select position from log_head""#).said
    return try #require(Int64(said.trimmed), "\(said)")
  }

  /// As a machine that is lost.
  func stopEverything() async {
    await server.destroy()
    await cluster.stop(.fast)
  }

  // MARK: What is true afterwards

  /// The restored book ends where it should, and what was signed and isn't there is named, position by position.
  func tellsWhatIsMissing(_ verify: String, after kept: Int64, upTo seen: Int64) async throws {
    #expect(try await head() == kept)
    let (status, said) = try await type(verify)
    #expect(status == 1, "\(said)")
    #expect(said.contains("\(kept + 1)") && said.contains("\(seen)"), "\(said)")
    #expect(!said.contains("the log is sound"))
  }

  /// The incarnation is raised, the server takes commands again, and a consumer who had seen more is told.
  func goesOn(_ recover: String, _ more: [String: String], after kept: Int64, seen: Int64) async throws {
    try await succeeds(recover, more)
    try await server.start()
    // The new history grows past what the old one had, so positions alone would say nothing.
    let grown = try await grow(by: Int(seen - kept) + 5)
    #expect(grown > seen)
    let read = #"curl -sS -H "Authorization: Bearer $(cat "$TOKEN")" "$URL/v1/events?"#
    let told = try await type(read + #"after=\#(seen)&incarnation=1""#).said
    #expect(told.contains(#""code":"history_changed""#) && told.contains(#""kept_position":\#(kept)"#), "\(told)")
    let onwards = try await type(read + #"after=\#(kept)&incarnation=1&limit=1""#).said
    #expect(onwards.contains(#""incarnation":2"#) && onwards.contains(#""position":\#(kept + 1)"#), "\(onwards)")
    let follower = try await type(
      #"curl -sS -H "Authorization: Bearer $(cat "$TOKEN")" -H "Accept: text/event-stream" -H "Last-Event-ID: \#(seen)" "#
        + #""$URL/v1/events""#
    ).said
    #expect(follower.contains("history_changed"), "\(follower)")
    // And the new history is sound from its first event to its last.
    let (status, said) = try await type(
      #"kauri replay verify --database "$OWNER" --master-key "$KEYS/keys/master.key" --key "$KEYS/checkpoint.pub""#)
    #expect(status == 0, "\(said)")
  }
}
