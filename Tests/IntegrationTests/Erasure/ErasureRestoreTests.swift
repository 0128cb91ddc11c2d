import Commands
import Ledger
import LocalStack
import Postgres
import Testing

/// A backup from before an erasure, restored after it, doesn't bring the person back: docs/operations.md, Erasure and
/// backups, step by step.
@Suite(.serialized) struct ErasureRestoreTests {
  @Test(arguments: [
    ["erasures", "export"], ["erasures", "apply"], ["erasures", "forget", "list"],
    ["erasures", "export", "list", "--database", "password=x"],
    ["erasures", "apply", "list", "--database", "dbname=kauri", "--data-dir", "dir"],
  ])
  func wrongUse(arguments: [String]) async throws {
    let outcome = try await KauriProcess.run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("Usage:"))
  }

  @Test func aBackupFromBeforeTheErasure() async throws {
    try await ErasureWorld.run(servers: 1, customers: 2) { world in
      let (erased, other) = (world.customers[0], world.customers[1])
      let list = "\(world.book.directory)/erasures.ndjson"
      let backup = "\(world.book.directory)/before.dump"
      #expect(try await world.shown(erased, at: world.book.servers[0]).contains(ErasureWorld.name))
      try await Program("pg_dump").output([
        "--dbname", world.book.cluster.adminConninfo, "--format", "custom", "--file", backup,
      ])

      try await world.accept(ErasureWorld.erase(erased))
      let exported = try await kauri("export", list, as: LocalStack.serverRole, world)
      #expect(exported.output == "1 added, 1 listed\n", "\(exported.errors)")
      let again = try await kauri("export", list, as: LocalStack.serverRole, world)
      #expect(again.output == "0 added, 1 listed\n")
      let text = try #require(Files.read(list))
      #expect(text.contains(erased.description) && !text.contains("Hinemoa") && text.hasSuffix("}\n"))

      try await restore(backup, as: "restored", world)
      #expect(
        try await world.traces(of: erased, in: "restored") == .untouched, "the backup has brought the person back")
      let applied = try await kauri("apply", list, as: LocalStack.ownerRole, world, in: "restored")
      #expect(applied.output == "1 listed, 1 erased again, 1 keys deleted\n", "\(applied.errors)")
      let repeated = try await kauri("apply", list, as: LocalStack.ownerRole, world, in: "restored")
      #expect(repeated.output == "1 listed, 0 erased again, 0 keys deleted\n")
      // The restored log knows nothing of the erasure: the key is gone all the same.
      #expect(
        try await world.traces(of: erased, in: "restored")
          == ErasureWorld.Traces(event: false, key: false, tombstone: true, status: "registered"))

      let server = world.book.server(on: "restored")
      try await server.start()
      do {
        try await use(server, world, erased, other)
      } catch {
        await server.destroy()
        throw error
      }
      await server.destroy()
    }
  }

  /// On the restored book.
  private func use(
    _ server: BankServer, _ world: ErasureWorld, _ erased: CustomerID, _ other: CustomerID
  ) async throws {
    try await eventually("the restored book is served", within: .seconds(30)) {
      await world.book.clients.isReady(server)
    }
    #expect(try await world.shown(erased, at: server).contains(ErasureWorld.erasedName))
    #expect(try await world.shown(other, at: server).contains(ErasureWorld.name), "nobody else is touched")
    // Whoever sends the registration again, as after a restore one does, makes no key for it.
    let register = ErasureWorld.give(
      .registerCustomer(RegisterCustomer(customerID: erased, name: PersonalText(ErasureWorld.name))))
    guard case .answered(let declined) = await world.book.clients.post(register, at: server) else {
      Issue.record("not answered")
      return
    }
    #expect(declined.status == 422 && !String(decoding: declined.body, as: UTF8.self).contains("Hinemoa"))
    // Erased in the restored log too, once its rules allow it.
    guard case .answered(let accepted) = await world.book.clients.post(ErasureWorld.erase(erased), at: server) else {
      Issue.record("not answered")
      return
    }
    #expect(accepted.status == 201)
    #expect(try await world.traces(of: erased, in: "restored") == .erased)
    #expect(server.errors.isEmpty)
  }

  @Test func aListThatIsNotThisBooksOrNotWholeIsRefused() async throws {
    try await ErasureWorld.run(servers: 1, customers: 1) { world in
      let list = "\(world.book.directory)/erasures.ndjson"
      let customer = world.customers[0]
      let book = try await world.administer { session in
        try session.execute("select book_id::text from book").text(0, 0)
      }
      func line(_ book: String) -> String {
        #"{"book_id":"\#(book)","customer_id":"\#(customer)","erased_at":"2026-01-01T00:00:00Z"}"#
      }
      for (content, problem) in [
        (line("0190e1e5-0000-7000-8000-000000000001"), "line 1: it is of the book"),
        (line(book) + "\n" + String(line(book).dropLast(9)), "line 2:"), (line(book) + "\nnonsense\n", "line 2:"),
      ] {
        try Files.write(content, to: list, mode: 0o600)
        for (command, role) in [("apply", LocalStack.ownerRole), ("export", LocalStack.serverRole)] {
          let outcome = try await kauri(command, list, as: role, world)
          #expect(outcome.status == 1 && outcome.errors.contains(problem), "\(command): \(outcome.errors)")
        }
        #expect(Files.read(list) == content)
        #expect(try await world.traces(of: customer) == .untouched)
      }
      let missing = try await kauri("apply", list + ".none", as: LocalStack.ownerRole, world)
      #expect(missing.status == 1 && missing.errors.contains("can't read"))
      // The server's role may not.
      try Files.write(line(book) + "\n", to: list, mode: 0o600)
      let refused = try await kauri("apply", list, as: LocalStack.serverRole, world)
      #expect(refused.status == 1)
      #expect(try await world.traces(of: customer) == .untouched)
    }
  }

  private func kauri(
    _ command: String, _ list: String, as role: String, _ world: ErasureWorld, in database: String = LocalStack.database
  ) async throws -> KauriProcess.Outcome {
    try await KauriProcess.run([
      "erasures", command, list, "--database", world.book.cluster.conninfo(user: role, database: database),
    ])
  }

  private func restore(_ backup: String, as database: String, _ world: ErasureWorld) async throws {
    try await world.administer { session in
      try session.simple("create database \(database) owner \(LocalStack.ownerRole) template template0")
    }
    try await Program("pg_restore").output([
      "--dbname", world.book.cluster.conninfo(user: "postgres", database: database), "--exit-on-error", backup,
    ])
  }
}
