import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  /// A customer's erasure in the database: the event, the key, the read models.
  @Suite struct ErasureTests {
    @Test("the event is there, the key and whatever was known of the person are gone, in every read model")
    func erased() async throws {
      try await ErasureBook.with { book, world in
        try await world.erase(on: book)
        let fold = try await book.fold()
        let state = try await book.loaded(world)
        #expect(state.customers[world.customer] == fold.customers[world.customer])
        #expect(state.accounts[world.account] == fold.accounts[world.account])
        let customer = try await book.queries.customer(world.customer).value
        #expect(customer.status == .erased && customer.name.content == .erased && customer.country == nil)
        #expect(customer.dateOfBirth?.content == .erased && customer.scores == Scores())
        #expect(try await book.queries.account(.id(world.account)).value.name?.content == .erased)

        let counts = try await book.administer { [customer = world.customer] session in
          let rows = try session.execute(
            """
            select (select count(*) from personal_keys where subject = $1),
              (select count(*) from erased_subjects e join events v on v.position = e.position
                where e.subject = $1 and v.type = 'CustomerErased' and v.stream_id = $1)
            """, [.uuid(customer.high, customer.low)])
          return [try rows.int8(0, 0), try rows.int8(0, 1)]
        }
        #expect(counts == [0, 1])

        try await book.catchUp(EntriesModel.self)
        try await book.catchUp(CustomersOverviewModel.self)
        let overview = try #require(try await book.queries.customersOverview().value.elements.first)
        #expect(overview.status == .erased && overview.country == nil)
        // What the bank has to show for it can be read.
        let event = try #require(try await book.log().last { $0.event.type == "CustomerErased" })
        let shown = try book.codec.render(
          event.payload, event: event.event, command: event.origin.commandID, form: .clear)
        #expect(String(decoding: shown, as: UTF8.self).contains("request 17"))
      }
    }

    @Test("every event that holds the person's text is what it was, byte for byte, and says that the text is gone")
    func log() async throws {
      try await ErasureBook.with { book, world in
        let before = try await book.log()
        try await world.erase(on: book)
        let after = try await book.log()
        #expect(Array(after.prefix(before.count)) == before)
        let other = PersonalKeyring(masterKey: book.masterKey)
        try await book.pool.run { session in
          _ = try other.loadKeys(for: [world.customer], session: session, creatingMissing: false)
        }
        let registered = try #require(after.first { $0.origin.stream == StreamID(.customer, world.customer) })
        for codec in [book.codec, EventCodec(keyring: other)] {
          let shown = try codec.render(
            registered.payload, event: registered.event, command: registered.origin.commandID, form: .clear)
          let text = String(decoding: shown, as: UTF8.self)
          #expect(text.contains(#""name":{"erased":true}"#) && !text.contains("Hinemoa"), "\(text)")
          // An audit that decides again needs no key: sealed text is compared as it is.
          let again = try codec.encode(registered.event, command: registered.origin.commandID, index: 0)
          #expect(again.payload == registered.payload && !again.sealed)
        }
      }
    }

    @Test("what is written about an erased customer later is recorded without its text, and nobody makes it a key")
    func newText() async throws {
      try await ErasureBook.with { book, world in
        try await world.erase(on: book)
        let again = RegisterCustomer(customerID: world.customer, name: PersonalText("Hinemoa"), country: "NZ")
        let outcomes = try await book.give([(book.nextID(), TestBook.operators[0], .registerCustomer(again))])
        #expect(outcomes.first?.verdict == .declined(.customerExists))
        // Another server, which has never heard of the customer, with a cache and without.
        for cache in [0, 1_000] {
          let writer = try book.another(cachedAccountsMaximum: cache)
          let id = book.nextID()
          let results = await writer.commit([
            CommandEnvelope(id: id, actor: TestBook.operators[0], instruction: .registerCustomer(again))
          ])
          guard case .recorded(let outcome, false)? = results.first, let event = outcome.events.first,
            case .commandDeclined(let declined) = event.event,
            case .registerCustomer(let content) = declined.instruction
          else {
            Issue.record("\(results)")
            return
          }
          #expect(content.name == PersonalText(subject: world.customer, content: .erased))
          #expect(!String(decoding: event.payload, as: UTF8.self).contains("Hinemoa"))
          let shown = try book.codec.render(event.payload, event: event.event, command: id, form: .clear)
          #expect(String(decoding: shown, as: UTF8.self).contains(#""name":{"erased":true}"#))
        }
        let keys = try await book.administer { [customer = world.customer] session in
          try session.execute(
            "insert into personal_keys (subject, wrapped_key) values ($1, decode(repeat('00', 60), 'hex'))",
            [.uuid(customer.high, customer.low)])
          return try session.execute(
            "select count(*) from personal_keys where subject = $1", [.uuid(customer.high, customer.low)]
          ).int8(0, 0)
        }
        #expect(keys == 0, "not even the superuser's insert, unless it disables the trigger")
      }
    }

    @Test("a command after the erasure, in the same batch, and one that is repeated")
    func sameBatch() async throws {
      try await ErasureBook.with { book, world in
        let erase = CommandEnvelope(id: book.nextID(), actor: TestBook.operators[0], instruction: world.eraseCommand)
        let again = RegisterCustomer(customerID: world.customer, name: PersonalText("Hinemoa"))
        let results = await book.writer.commit([
          erase,
          CommandEnvelope(id: book.nextID(), actor: TestBook.operators[0], instruction: .registerCustomer(again)),
          erase,
        ])
        guard case .recorded(let first, false) = results[0], case .recorded(let second, false) = results[1],
          case .recorded(let third, true) = results[2]
        else {
          Issue.record("\(results)")
          return
        }
        #expect(first.verdict == .accepted && second.verdict == .declined(.customerExists))
        #expect(third.events == first.events)
        // Whatever the decline's text was sealed under, it is gone.
        let shown = try book.codec.render(
          second.events[0].payload, event: second.events[0].event, command: second.commandID, form: .clear)
        #expect(!String(decoding: shown, as: UTF8.self).contains("Hinemoa"))
      }
    }

    @Test("another server's remembered key opens nothing once it has heard, or can't have heard")
    func otherServers() async throws {
      try await ErasureBook.with { book, world in
        let name = try await book.queries.customer(world.customer).value.name
        guard case .sealed(let sealed) = name.content else {
          Issue.record("not sealed")
          return
        }
        let following = PersonalKeyring(masterKey: book.masterKey)
        let deaf = PersonalKeyring(
          masterKey: book.masterKey, capacity: 100, absenceLifetime: .seconds(1), trust: .milliseconds(50))
        try await book.pool.run { session in
          try following.learnErasures(session)
          for keyring in [following, deaf] {
            _ = try keyring.loadKeys(for: [world.customer], session: session, creatingMissing: false)
          }
        }
        #expect(try following.open(sealed, subject: world.customer, field: "name") == "Hinemoa")
        try await world.erase(on: book)
        try await book.pool.run { session in try following.learnErasures(session) }
        #expect(try following.open(sealed, subject: world.customer, field: "name") == nil)
        // Whoever doesn't follow has to ask again before long.
        try await Task.sleep(for: .milliseconds(60))
        #expect(throws: MissingPersonalKeys([world.customer])) {
          try deaf.open(sealed, subject: world.customer, field: "name")
        }
        try await book.pool.run { session in
          _ = try deaf.loadKeys(for: [world.customer], session: session, creatingMissing: false)
        }
        #expect(try deaf.open(sealed, subject: world.customer, field: "name") == nil)
      }
    }

    @Test("a key that is followed is trusted for as long as somebody follows, and not longer")
    func trust() async throws {
      try await ErasureBook.with { book, world in
        guard case .sealed(let sealed) = try await book.queries.customer(world.customer).value.name.content else {
          Issue.record("not sealed")
          return
        }
        let keyring = PersonalKeyring(
          masterKey: book.masterKey, capacity: 100, absenceLifetime: .seconds(1), trust: .milliseconds(400))
        try await book.pool.run { session in
          try keyring.learnErasures(session)
          _ = try keyring.loadKeys(for: [world.customer], session: session, creatingMissing: false)
        }
        for _ in 0..<6 {
          try await Task.sleep(for: .milliseconds(100))
          try await book.pool.run { session in try keyring.learnErasures(session) }
          #expect(try keyring.open(sealed, subject: world.customer, field: "name") == "Hinemoa")
        }
        try await Task.sleep(for: .milliseconds(410))
        #expect(throws: MissingPersonalKeys([world.customer])) {
          try keyring.open(sealed, subject: world.customer, field: "name")
        }
      }
    }

    @Test("a restore of the table of keys alone is undone")
    func restoredKeys() async throws {
      try await ErasureBook.with { book, world in
        let key = try await book.administer { [customer = world.customer] session in
          try session.execute(
            "select wrapped_key from personal_keys where subject = $1", [.uuid(customer.high, customer.low)]
          ).bytes(0, 0)
        }
        try await world.erase(on: book)
        for losesTombstone in [false, true] {
          try await book.administer { [customer = world.customer] session in
            try session.simple("set session_replication_role = replica")
            if losesTombstone { try session.simple("delete from erased_subjects") }
            try session.execute(
              "insert into personal_keys (subject, wrapped_key) values ($1, $2)",
              [.uuid(customer.high, customer.low), .bytea(key)])
          }
          #expect(try await book.pool.run { session in try Erasures.repeatAll(session) } == 1)
          #expect(try await book.pool.run { session in try Erasures.repeatAll(session) } == 0)
          let erased = try await book.pool.run { session in try Erasures.all(session) }
          #expect(erased.map(\.customerID) == [world.customer])
          #expect(erased.first?.position != nil)
        }
      }
    }

    @Test("where the customers have been rebuilt, their live generation says who is erased")
    func restoredKeysAfterARebuild() async throws {
      try await ErasureBook.with { book, world in
        let key = try await book.administer { [customer = world.customer] session in
          try session.execute(
            "select wrapped_key from personal_keys where subject = $1", [.uuid(customer.high, customer.low)]
          ).bytes(0, 0)
        }
        try await world.erase(on: book)
        try await book.administer { [customer = world.customer] session in
          try session.simple(
            """
            set session_replication_role = replica;
            create table customers_7 as select * from customers;
            update customers set status = 'verified';
            update log_head set generations = '{"customers": 7}';
            delete from erased_subjects;
            grant select on customers_7 to kauri_owner;
            """)
          try session.execute(
            "insert into personal_keys (subject, wrapped_key) values ($1, $2)",
            [.uuid(customer.high, customer.low), .bytea(key)])
        }
        #expect(try await book.pool.run { session in try Erasures.repeatAll(session) } == 1)
      }
    }

    @Test("of the past, an erased customer shows what the log has in clear and no text")
    func past() async throws {
      try await ErasureBook.with { book, world in
        let before = try await book.head()
        try await world.erase(on: book)
        try await book.catchUp(EntriesModel.self)
        let then = try await book.queries.customer(world.customer, in: .position(before)).value
        #expect(then.status == .verified && then.country == "NZ")
        guard case .sealed(let sealed) = then.name.content else {
          Issue.record("not sealed")
          return
        }
        #expect(try book.keyring.open(sealed, subject: world.customer, field: "name") == nil)
        let head = PointInTime.position(try await book.head())
        let fold = try await book.fold()
        #expect(try await book.queries.customer(world.customer, in: head).value == fold.customers[world.customer])
        let account = try await book.queries.account(.id(world.account), in: head).value
        #expect(account.name == fold.accounts[world.account]?.name && account.closedOn != nil)
      }
    }
  }
}

/// A customer whose only account is closed, in a book that keeps nobody for longer.
private struct ErasureBook {
  let customer: CustomerID
  let account: AccountID

  static func with(_ body: (TestBook, ErasureBook) async throws -> Void) async throws {
    try await TestBook.with { book in try await body(book, ErasureBook(on: book)) }
  }

  private init(on book: TestBook) async throws {
    (customer, account) = (book.nextID(), book.nextID())
    let proposal = book.nextID()
    try await book.accept(.setPolicy(SetPolicy(change: .retentionDays(0))), id: proposal)
    try await book.accept(.approve(Approve(commandID: proposal)), by: TestBook.operators[1])
    try await book.accept(
      .registerCustomer(
        RegisterCustomer(
          customerID: customer, name: PersonalText("Hinemoa"), dateOfBirth: PersonalText("1990-02-03"), country: "NZ")))
    try await book.accept(.verifyCustomer(VerifyCustomer(customerID: customer)))
    try await book.accept(
      .recordFraudScore(
        RecordFraudScore(
          report: ScoreReport(subject: .id(customer), score: 12, model: "m", scoredAt: book.clock.now))))
    try await book.accept(
      .openAccount(
        OpenAccount(
          accountID: account, kind: .customer, customerID: customer, currency: .nzd, name: PersonalText("Rainy days"))))
    try await book.accept(.closeAccount(CloseAccount(account: .id(account))))
  }

  var eraseCommand: Instruction {
    .eraseCustomer(EraseCustomer(customerID: customer, reason: PersonalText("request 17")))
  }

  func erase(on book: TestBook) async throws {
    try await book.accept(eraseCommand)
  }
}

extension TestBook {
  /// Another server's writer on the same book, which remembers nothing.
  fileprivate func another(cachedAccountsMaximum: Int) throws -> PostgresBook {
    let keyring = PersonalKeyring(masterKey: masterKey)
    return try PostgresBook(
      configuration: configuration, keyring: keyring, readModels: InlineTables(codec: EventCodec(keyring: keyring)),
      options: WriterOptions(cachedAccountsMaximum: cachedAccountsMaximum))
  }

  /// What the inline tables have of the customer and its account.
  fileprivate func loaded(_ world: ErasureBook) async throws -> BookState {
    try await pool.run { [tables] session in
      var state = BookState()
      var needs = StateNeeds()
      needs.customers = [world.customer]
      needs.accounts = [world.account]
      try tables.load(needs, into: &state, session)
      return state
    }
  }
}
