import Commands
import Ledger
import LocalStack
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

  private func verify(_ world: ErasureWorld, withKeys: Bool = true) async throws -> KauriProcess.Outcome {
    let keys = withKeys ? ["--master-key", world.book.identity.masterKeyFile] : []
    return try await KauriProcess.run(
      ["replay", "verify", "--json", "--database", world.book.cluster.conninfo(user: LocalStack.serverRole)] + keys)
  }
}
