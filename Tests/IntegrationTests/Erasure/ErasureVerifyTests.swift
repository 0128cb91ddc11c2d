import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// What an audit makes of a log with erased customers in it.
@Suite(.serialized) struct ErasureVerifyTests {
  @Test func everyCommandIsDecidedAgainAndErasedTextIsSaidToBeErased() async throws {
    try await ErasureWorld.run(servers: 1, customers: 3) { world in
      let book = world.book
      let erased = world.customers[0]
      let before = try await verify(world)
      #expect(before.status == 0, "\(before.output) \(before.errors)")
      #expect(before.output.contains(#""texts_erased":0"#), "\(before.output)")

      let again = RegisterCustomer(customerID: erased, name: PersonalText(ErasureWorld.name))
      // Erased, and asked for once more in the same batch.
      let batch = [
        ErasureWorld.erase(erased), ErasureWorld.erase(erased), ErasureWorld.give(.registerCustomer(again)),
        ErasureWorld.erase(Identifier(high: 1, low: 1)),
      ]
      #expect(await book.clients.settle(batch, at: 0))
      #expect(
        batch.map { book.clients.outcome(of: $0.id)?.outcome } == ["accepted", "declined", "declined", "declined"])
      // And later, when there is no key to seal the name with.
      let later = ErasureWorld.give(.registerCustomer(again))
      #expect(await book.clients.settle(later, at: 0)?.outcome == "declined")

      for withKeys in [true, false] {
        let after = try await verify(world, withKeys: withKeys)
        #expect(after.status == 0, "\(after.output) \(after.errors)")
        #expect(after.output.contains(#""differences":[]"#), "\(after.output)")
        if withKeys { #expect(after.output.contains(/"texts_erased":[1-9]/), "\(after.output)") }
      }
      let story = try await KauriProcess.run([
        "replay", "command", batch[0].id.description, "--database", book.cluster.conninfo(user: LocalStack.serverRole),
      ])
      #expect(story.status == 0 && story.output.contains("EraseCustomer"), "\(story.output) \(story.errors)")
      #expect(!story.output.contains("Hinemoa"))
    }
  }

  /// Somebody deletes a key, and nothing of the log says that it should be gone.
  @Test func aKeyThatIsGoneWithoutAnErasureIsADifference() async throws {
    try await ErasureWorld.run(servers: 1, customers: 3) { world in
      let (erased, lost) = (world.customers[0], world.customers[1])
      try await world.accept(ErasureWorld.erase(erased))
      let place = try await world.administer { session in
        try session.execute("set session_replication_role = replica")
        try session.execute("delete from personal_keys where subject = $1", [.uuid(lost.high, lost.low)])
        return try session.execute(
          "select min(position) from events where stream_id = $1", [.uuid(lost.high, lost.low)]
        ).int8(0, 0)
      }
      let report = try await verify(world)
      #expect(report.status == 1, "\(report.output) \(report.errors)")
      #expect(report.output.contains(#""sound":false"#) && report.output.contains(#""differences_total":1"#))
      #expect(
        report.output.contains(#""position":\#(place),"field":"personal_keys row of \#(lost)""#), "\(report.output)")
      #expect(!report.output.contains("row of \(erased)"), "\(report.output)")
      // The texts of the customer that was erased, and no others, are said to be.
      let counted = try #require(report.output.firstMatch(of: /"texts_erased":([0-9]+)/)?.1)
      // Without a master key there is nothing to miss.
      #expect(try await verify(world, withKeys: false).status == 0)

      // A list of erasures that was applied after a restore leaves a tombstone and no event: it is believed with the list.
      _ = try await world.administer { try Erasures.apply([lost], $0) }
      let alone = try await verify(world)
      #expect(alone.status == 1 && alone.output.contains(#""field":"erased_subjects row of \#(lost)""#), "\(alone)")
      let directory = try TemporaryDirectories.make()
      defer { try? Files.remove(directory) }
      let list = "\(directory)/erasures.ndjson"
      let exported = try await KauriProcess.run([
        "erasures", "export", list, "--database", world.book.cluster.conninfo(user: LocalStack.serverRole),
      ])
      #expect(exported.status == 0, "\(exported.errors)")
      let applied = try await verify(world, "--erasures", list)
      #expect(applied.status == 0, "\(applied.output) \(applied.errors)")
      let all = try #require(applied.output.firstMatch(of: /"texts_erased":([0-9]+)/)?.1)
      #expect(try #require(Int(all)) > #require(Int(counted)) && Int(counted) != 0, "\(all) \(counted)")
    }
  }

  /// A key that came back, and a tombstone that is gone.
  @Test func whoCameBackIsFound() async throws {
    try await ErasureWorld.run(servers: 1, customers: 2) { world in
      let erased = world.customers[0]
      let id = erased.description
      try await world.administer { session in
        try session.simple("create table kept_keys as select * from personal_keys where subject = '\(id)'")
      }
      try await world.accept(ErasureWorld.erase(erased))
      #expect(try await verify(world).status == 0)
      for (sql, field) in [
        ("insert into personal_keys select * from kept_keys", "personal_keys row of \(id)"),
        ("delete from erased_subjects where subject = '\(id)'", "erased_subjects row of \(id)"),
      ] {
        try await world.administer { session in
          try session.simple("set session_replication_role = replica")
          try session.simple(sql)
        }
        let report = try await verify(world)
        #expect(report.status == 1, "\(sql): \(report.output)")
        #expect(report.output.contains(#""field":"\#(field)""#), "\(report.output)")
      }
    }
  }

  private func verify(
    _ world: ErasureWorld, _ more: String..., withKeys: Bool = true
  ) async throws -> KauriProcess.Outcome {
    let keys = withKeys ? ["--master-key", world.book.identity.masterKeyFile] : []
    return try await KauriProcess.run(
      ["replay", "verify", "--json", "--database", world.book.cluster.conninfo(user: LocalStack.serverRole)] + keys
        + more)
  }
}
