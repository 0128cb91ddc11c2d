import Glibc
import LocalStack
import Testing

@Suite struct PostgresClusterTests {
  @Test func takesUpItsDataAfterEveryKindOfEnd() async throws {
    let cluster = try await PostgresCluster.temporary()
    let owner = cluster.conninfo(user: LocalStack.ownerRole)
    _ = try await Support.sql("CREATE TABLE kept (how text)", owner)
    for how in ["fast", "immediate", "killed"] {
      _ = try await Support.sql("INSERT INTO kept VALUES ('\(how)')", owner)
      switch how {
      case "fast": try await cluster.restart(.fast)
      case "immediate": try await cluster.restart(.immediate)
      default:
        await cluster.kill()
        #expect(await !cluster.isRunning)
        #expect(Files.exists("\(cluster.directory)/postmaster.pid"), "a killed postmaster leaves its pid file behind")
        try await cluster.start()
      }
    }
    #expect(try await Support.sql("SELECT string_agg(how, ' ') FROM kept", owner) == "fast immediate killed")
    try await cluster.destroy()
    #expect(!Files.exists(Files.parent(of: cluster.directory)))
  }

  @Test func rolesAreNoSuperusersAndTheOwnerOwns() async throws {
    let cluster = try await PostgresCluster.temporary()
    let roles = try await Support.sql(
      "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin AND NOT rolsuper",
      cluster.conninfo(user: LocalStack.serverRole))
    #expect(roles == "kauri_owner kauri_server")
    let owner = try await Support.sql(
      "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'kauri'", cluster.adminConninfo)
    #expect(owner == LocalStack.ownerRole)
    await #expect(throws: LocalStackError.self) {
      try await Support.sql("CREATE TABLE mine (id int)", cluster.conninfo(user: LocalStack.serverRole))
    }
    try await cluster.destroy()
  }

  @Test func isDurableAndOnAUnixSocketOnly() async throws {
    let cluster = try await PostgresCluster.temporary()
    func setting(_ name: String) async throws -> String {
      try await Support.sql("SHOW \(name)", cluster.adminConninfo)
    }
    #expect(try await setting("fsync") == "on")
    #expect(try await setting("synchronous_commit") == "on")
    #expect(try await setting("listen_addresses") == "")
    #expect(try await setting("data_checksums") == "on")
    #expect(try await setting("server_encoding") == "UTF8")
    #expect(Support.mode(of: cluster.socketDirectory) == 0o700)
    try await cluster.destroy()
  }

  @Test func callersSettingsWin() async throws {
    let cluster = try await PostgresCluster.temporary(settings: ["max_connections": "7", "work_mem": "5MB"])
    #expect(try await Support.sql("SHOW max_connections", cluster.adminConninfo) == "7")
    #expect(try await Support.sql("SHOW work_mem", cluster.adminConninfo) == "5MB")
    try await cluster.destroy()
  }

  @Test(arguments: [
    "a place with spaces/it's \"here\"", "comma, comma",
    "deep/" + String(repeating: "a-directory-whose-name-is-long/", count: 6) + "end",
  ])
  func oddPlaces(name: String) async throws {
    try await Support.withDirectory { directory in
      try await Support.withCluster(in: "\(directory)/\(name)/postgres") { cluster in
        let answer = try await Support.sql("SELECT current_user", cluster.conninfo(user: LocalStack.serverRole))
        #expect(answer == LocalStack.serverRole)
        #expect("\(cluster.socketDirectory)/.s.PGSQL.5432".utf8.count <= 107)
        try await cluster.restart()
        #expect(try await Support.sql("SELECT 1", cluster.adminConninfo) == "1")
      }
    }
  }

  @Test func aPostmasterLeftBehindIsStopped() async throws {
    try await Support.withDirectory { directory in
      let first = PostgresCluster(directory: "\(directory)/postgres")
      try await first.start()
      let left = try #require(await first.pid)
      // To the second cluster the first one's postmaster is what a killed parent leaves: running, but no child of it.
      try await Support.withCluster(in: "\(directory)/postgres") { second in
        #expect(await first.process?.end?.isSuccess == true, "it was stopped in good order")
        #expect(await second.pid != left)
        let answer = try await Support.sql("SELECT 1", second.adminConninfo)
        #expect(answer == "1")
      }
    }
  }

  @Test func aStalePidFileOfAnotherProcessHarmsNobody() async throws {
    try await Support.withDirectory { directory in
      try await Support.withCluster(in: "\(directory)/postgres") { cluster in
        await cluster.kill()
        let user = try SystemUser.forPostgres(existing: cluster.directory)
        let bystander = try await ChildProcess.start(
          "bystander", executable: "/bin/sleep", arguments: ["600"], logFile: "\(directory)/bystander.log", as: user)
        let path = "\(cluster.directory)/postmaster.pid"
        var lines = try #require(Files.read(path)).split(separator: "\n", omittingEmptySubsequences: false)
        lines[0] = "\(bystander.pid)"
        try Files.write(lines.joined(separator: "\n"), to: path, mode: 0o600, owner: user)
        try await cluster.start()
        #expect(bystander.isRunning)
        #expect(try await Support.sql("SELECT 1", cluster.adminConninfo) == "1")
        await bystander.stop(SIGKILL, grace: .seconds(5))
      }
    }
  }

  @Test func anotherVersionsDirectoryIsLeftAlone() async throws {
    try await Support.withDirectory { directory in
      let cluster = PostgresCluster(directory: "\(directory)/postgres")
      try await cluster.start()
      await cluster.stop()
      let installed = try #require(Files.read("\(cluster.directory)/PG_VERSION")).trimmed
      try Files.write("9.6\n", to: "\(cluster.directory)/PG_VERSION", mode: 0o600)
      let before = try Files.entries(of: cluster.directory).sorted()
      let expected = LocalStackError.otherVersion(directory: cluster.directory, found: "9.6", installed: installed)
      await #expect(throws: expected) { try await cluster.start() }
      #expect(try Files.entries(of: cluster.directory).sorted() == before)
      #expect("\(expected)".contains("Nothing was changed"))
    }
  }

  @Test func aDirectoryWithOtherFilesIsLeftAlone() async throws {
    try await Support.withDirectory { directory in
      try Files.makeDirectory("\(directory)/photos", mode: 0o755)
      try Files.write("me", to: "\(directory)/photos/holiday.jpg", mode: 0o644)
      let cluster = PostgresCluster(directory: "\(directory)/photos")
      await #expect(throws: LocalStackError.self) { try await cluster.start() }
      #expect(try Files.entries(of: "\(directory)/photos") == ["holiday.jpg"])
    }
  }

  @Test func aHalfMadeClusterIsMadeAnew() async throws {
    try await Support.withDirectory { directory in
      try Files.makeDirectory("\(directory)/postgres.unfinished/base", mode: 0o700)
      try await Support.withCluster(in: "\(directory)/postgres") { cluster in
        let answer = try await Support.sql("SELECT 1", cluster.adminConninfo)
        #expect(answer == "1")
        #expect(!Files.exists("\(directory)/postgres.unfinished"))
      }
    }
  }
}
