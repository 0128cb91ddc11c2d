import Commands
import Glibc
import Ledger
import LocalStack
import Postgres
import Testing

/// Erasing a customer on real servers.
@Suite(.serialized) struct ErasureTests {
  @Test func everyServerStopsShowingThePersonWithinSeconds() async throws {
    try await ErasureWorld.run(servers: 2, customers: 1) { world in
      let customer = world.customers[0]
      for server in world.book.servers {
        #expect(try await world.shown(customer, at: server).contains(ErasureWorld.name))
      }
      let registration = try #require(
        world.book.clients.commands.first {
          if case .registerCustomer(let content) = $0.instruction { content.customerID == customer } else { false }
        })
      func outcome() async throws -> String {
        let answer = await world.book.clients.get("/v1/commands/\(registration.id)", at: world.book.servers[1])
        guard case .answered(let answer) = answer, answer.status == 200 else { return "" }
        return String(decoding: answer.body, as: UTF8.self)
      }
      #expect(try await outcome().contains(ErasureWorld.name))
      try await world.accept(ErasureWorld.erase(customer))
      let shown = try await world.shown(customer, at: world.book.servers[0])
      #expect(shown.contains(ErasureWorld.erasedName) && shown.contains(#""status":"erased""#), "\(shown)")
      // The registration still stands in the log, and its text is what the other server remembers a key for.
      try await eventually("the other server has heard", within: .seconds(5)) {
        try await outcome().contains(ErasureWorld.erasedName)
      }
      #expect(try await world.traces(of: customer) == .erased)
      try await world.book.expectSettled()
    }
  }

  /// Killed at any moment around the commit: the event is there and the key is gone, or neither.
  @Test func killedServers() async throws {
    try await ErasureWorld.run(servers: 1, customers: 12) { world in
      var chance = SeededGenerator()
      let server = world.book.servers[0]
      var (before, after) = (0, 0)
      for customer in world.customers {
        let erase = ErasureWorld.erase(customer)
        async let given = world.book.clients.post(erase, at: server)
        try await Task.sleep(for: chance.moment(withinMilliseconds: 12))
        await server.kill()
        _ = await given
        let traces = try await world.traces(of: customer)
        #expect(traces == .erased || traces == .untouched, "\(traces)")
        if traces == .erased { after += 1 } else { before += 1 }
        try await server.start()
        try await world.accept(erase)
        #expect(try await world.traces(of: customer) == .erased)
        #expect(try await world.shown(customer, at: server).contains(ErasureWorld.erasedName))
      }
      print("killed before the commit \(before) times, after it \(after) times")
      try await world.book.expectSettled()
    }
  }

  @Test func aKeyThatIsThereAgainGoesWhenAServerStarts() async throws {
    try await ErasureWorld.run(servers: 1, customers: 1) { world in
      let customer = world.customers[0]
      let key = try await world.administer { session in
        try session.execute(
          "select wrapped_key from personal_keys where subject = $1", [.uuid(customer.high, customer.low)]
        ).bytes(0, 0)
      }
      try await world.accept(ErasureWorld.erase(customer))
      // As a restore of the one table does it.
      try await world.administer { session in
        try session.simple("set session_replication_role = replica")
        try session.execute(
          "insert into personal_keys (subject, wrapped_key) values ($1, $2)",
          [.uuid(customer.high, customer.low), .bytea(key)])
      }
      #expect(try await world.traces(of: customer).key)
      await world.book.servers[0].kill()
      try await world.book.servers[0].start()
      try await eventually("the key is gone again", within: .seconds(20)) {
        try await !world.traces(of: customer).key
      }
      #expect(try await world.shown(customer, at: world.book.servers[0]).contains(ErasureWorld.erasedName))
    }
  }
}
