import Foundation
import Glibc
import LocalStack
import Testing

/// The page on recovery, rehearsed as it stands: what a restore and a failover lost is named, and told to whoever had
/// seen it.
@Suite struct RecoveryRehearsalTests {
  @Test func aRestoreToAChosenSecond() async throws {
    try await Rehearsal.run { rehearsal in
      let page = try Rehearsal.page()
      try await rehearsal.succeeds(page.backup)
      let wanted = try await rehearsal.grow(by: 20)
      let second = try await rehearsal.now()
      let seen = try await rehearsal.grow(by: 15)
      try await rehearsal.succeeds(page.keep)
      await rehearsal.stopEverything()

      try await rehearsal.succeeds(page.restore, ["SECOND": second])
      try await rehearsal.tellsWhatIsMissing(page.verify, after: wanted, upTo: seen)
      try await rehearsal.goesOn(page.recover, ["SECOND": second], after: wanted, seen: seen)
    }
  }

  /// The second restore knows nothing of the first one's history: what was kept outside tells it.
  @Test func theSameBackupRestoredTwice() async throws {
    try await Rehearsal.run { rehearsal in
      let page = try Rehearsal.page()
      try await rehearsal.succeeds(page.backup)
      let wanted = try await rehearsal.grow(by: 10)
      let second = try await rehearsal.now()
      let seen = try await rehearsal.grow(by: 5)
      try await rehearsal.succeeds(page.keep)
      await rehearsal.stopEverything()
      // A while later, for what went wrong was in the backup's time: the same second once more.
      try await rehearsal.succeeds(page.restore, ["SECOND": second])
      try await rehearsal.goesOn(page.recover, ["SECOND": second], after: wanted, seen: seen)
      try await rehearsal.succeeds(page.keep)
      let first = try await rehearsal.grow(by: 3)
      await rehearsal.stopEverything()
      try await rehearsal.succeeds(#"pg_ctl -D "$RESTORED" -w -m fast stop; rm -rf "$RESTORED""#)
      try await rehearsal.succeeds(page.restore, ["SECOND": second])

      // Without anything that was kept, it isn't declared at all.
      let unknowing = try await rehearsal.type(#"kauri recover --database "$OWNER" --reason "restored""#)
      #expect(unknowing.status == 2 && unknowing.said.contains("--checkpoint"), "\(unknowing)")
      // What was signed of the first restore is enough, and so is what it answered.
      let checked = #"kauri recover --database "$OWNER" --reason r --checkpoint "$KEPT/checkpoint" --key "$KEPT/other""#
      let forged = try await rehearsal.type(
        #"echo "ed25519 A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" > "$KEPT/other""# + "\n" + checked)
      #expect(forged.status == 1 && forged.said.contains("isn't signed by this key"), "\(forged)")
      try await rehearsal.succeeds(page.recover, ["SECOND": second])
      #expect(try await rehearsal.incarnation() == 3)
      try await rehearsal.serve()
      #expect(try await rehearsal.grow(by: Int(first - wanted) + 5) > first)
      // A reader of the first restore is told by the second, which can't say what it kept of a history it never had.
      for place in [first, wanted + 1] {
        let told = try await rehearsal.read("after=\(place)&incarnation=2")
        #expect(told.contains(#""code":"history_changed""#) && !told.contains("kept_position"), "\(told)")
      }
      let old = try await rehearsal.read("after=\(seen)&incarnation=1")
      #expect(old.contains(#""kept_position":\#(wanted)"#), "\(old)")
    }
  }

  @Test func aFailoverThatLosesCommits() async throws {
    try await Rehearsal.run { rehearsal in
      let page = try Rehearsal.page()
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
      try await rehearsal.succeeds(page.keep)
      await rehearsal.stopEverything()

      try await rehearsal.succeeds(
        #"""
        pg_ctl -D "$RESTORED" -w promote
        echo "unix_socket_directories = '$PRIMARY_SOCKET'" >> "$RESTORED/postgresql.auto.conf"
        pg_ctl -D "$RESTORED" -w -m fast stop
        pg_ctl -D "$RESTORED" -l "$RESTORED.log" -w start
        """#)
      try await rehearsal.tellsWhatIsMissing(page.verify, after: wanted, upTo: seen)
      try await rehearsal.goesOn(page.recover, ["SECOND": "the failover"], after: wanted, seen: seen)
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

  /// The page's commands.
  struct Page {
    let archive, backup, keep, restore, verify, recover: String
  }

  static func page() throws -> Page {
    let page = try #require(Files.read(Repository.path + "/docs/operations.md"))
    let blocks = Walkthrough.blocks(of: page)
    try #require(blocks.count == 6)
    return Page(
      archive: blocks[0], backup: blocks[1], keep: blocks[2], restore: blocks[3], verify: blocks[4], recover: blocks[5])
  }

  static func run(_ body: (Rehearsal) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    for name in ["archive", "kept", "bin", "socket"] { try Files.makeDirectory("\(directory)/\(name)", mode: 0o755) }
    // Postgres' own account writes here, also where this runs as root.
    for path in [directory, "\(directory)/archive", "\(directory)/socket"] { try #require(chmod(path, 0o777) == 0) }
    let cluster = try await PostgresCluster.temporary()
    let outcome: Result<Void, any Error>
    do {
      let rehearsal = try await prepare(directory, cluster)
      do {
        try await rehearsal.archives()
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

  func type(_ script: String, _ more: [String: String] = [:]) async throws -> (status: Int32?, said: String) {
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

  /// What the page says comes first: Postgres archives to the directory that the shell names, and knows no such name.
  private func archives() async throws {
    await server.destroy()
    try await succeeds(try Rehearsal.page().archive)
    try await cluster.restart()
    let command = try await type(#"psql -d "$PRIMARY" -Atc 'show archive_command'"#).said.trimmed
    let directory = try #require(environment["ARCHIVE"])
    try #require(command == #"test ! -f "\#(directory)/%f" && cp "%p" "\#(directory)/%f""#)
    try await succeeds(
      #"""
      psql -d "$PRIMARY" -Atc 'select pg_switch_wal()' > /dev/null
      until ls "$ARCHIVE" | grep -q .; do sleep 0.1; done
      """#)
    try await serve()
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

  func incarnation() async throws -> Int? {
    Int(try await type(#"psql -d "$PRIMARY" -Atc "select incarnation from log_head""#).said.trimmed)
  }

  /// What a reader of the log is answered.
  func read(_ query: String) async throws -> String {
    try await type(#"curl -sS -H "Authorization: Bearer $(cat "$TOKEN")" "$URL/v1/events?"# + query + #"""#).said
  }

  func serve() async throws { try await server.start() }

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
    #expect(said.contains("events \(kept + 1) to \(seen), which were signed"), "\(said)")
    #expect(!said.contains("the log is sound"))
  }

  /// The incarnation is raised, the server takes commands again, and a consumer who had seen more is told.
  func goesOn(_ recover: String, _ more: [String: String], after kept: Int64, seen: Int64) async throws {
    try await succeeds(recover, more)
    try await serve()
    // The new history grows past what the old one had, so positions alone would say nothing.
    let grown = try await grow(by: Int(seen - kept) + 5)
    #expect(grown > seen)
    let told = try await read("after=\(seen)&incarnation=1")
    #expect(told.contains(#""code":"history_changed""#) && told.contains(#""kept_position":\#(kept)"#), "\(told)")
    let onwards = try await read("after=\(kept)&incarnation=1&limit=1")
    #expect(onwards.contains(#""incarnation":2"#) && onwards.contains(#""position":\#(kept + 1)"#), "\(onwards)")
    let follower = try await type(
      #"curl -sS -H "Authorization: Bearer $(cat "$TOKEN")" -H "Accept: text/event-stream" -H "Last-Event-ID: \#(seen)" "#
        + #""$URL/v1/events""#
    ).said
    #expect(follower.contains("history_changed"), "\(follower)")
    // What the old one had signed and this one lacks is named as exactly as before, though these positions are taken.
    let (again, lost) = try await type(try Rehearsal.page().verify)
    let positions = "positions \(kept + 1) to \(seen), which this checkpoint of incarnation 1 covers"
    #expect(again == 1 && lost.contains(positions), "\(lost)")
    #expect(lost.contains("lost when incarnation 2 began after event \(kept)"), "\(lost)")
    // And the new history is sound from its first event to its last.
    let (status, said) = try await type(
      #"kauri replay verify --database "$OWNER" --master-key "$KEYS/keys/master.key" --key "$KEYS/checkpoint.pub""#)
    #expect(status == 0, "\(said)")
  }
}
