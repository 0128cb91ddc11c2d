import Commands
import EventStore
import Ledger
import Postgres
import Testing

extension OnAServer {
  @Suite struct LogReaderTests {
    private static func id(_ low: UInt64) -> Identifier { Identifier(high: 0xAB, low: low) }

    /// Ten events: two customers, transfers under their command's id and one under its own, a reversal of each, and a
    /// command of three.
    private struct Written: Sendable {
      let database: Database
      let events: [AppendedEvent]
      let reader: LogReader
    }

    private func write() async throws -> Written {
      let database = try await Database.migrated()
      let keyring = PersonalKeyring(masterKey: Given.masterKey())
      let events = try await database.asServer { session -> [AppendedEvent] in
        var log = TestLog(keyring)
        let customer = try #require(Actor(role: .customer, subject: Given.mere.description))
        try log.append([Given.registered()], command: Self.id(1), session)
        try log.append([Given.registered("Tāne", Given.tane)], command: Self.id(2), session)
        try log.append(
          [Given.transfer(Self.id(3), reference: PersonalText("Rent", subject: Given.mere))], command: Self.id(3),
          actor: customer, causation: Self.id(77), correlation: Self.id(78), session)
        try log.append([Given.transfer(Self.id(40))], command: Self.id(4), alias: Self.id(40), session)
        try log.append([Given.reversal(of: Self.id(3))], command: Self.id(5), version: 2, session)
        try log.append([Given.reversal(of: Self.id(40))], command: Self.id(6), version: 2, session)
        let verified = Event.customerVerified(CustomerVerified(instruction: VerifyCustomer(customerID: Given.mere)))
        try log.append([verified, verified, verified], command: Self.id(7), version: 2, session)
        try log.append([Given.transfer(Self.id(8))], command: Self.id(8), session)
        return log.appended
      }
      return Written(database: database, events: events, reader: LogReader(codec: EventCodec(keyring: keyring)))
    }

    @Test func anEmptyLogHasAHeadAndNothingElse() async throws {
      let database = try await Database.migrated()
      let reader = LogReader(codec: EventCodec(keyring: PersonalKeyring(masterKey: Given.masterKey())))
      try await database.asServer { session in
        let head = try reader.head(session)
        #expect(head.position == 0 && head.incarnation == 1 && head.ruleSet == 0 && head.generations.isEmpty)
        #expect(head.lastMoment == Moment(microseconds: 0))
        #expect(try reader.events(after: 0, limit: 10, session).isEmpty)
        #expect(try reader.command(Self.id(1), session) == nil)
        #expect(try reader.stream(StreamID(.customer, Given.mere), session).isEmpty)
        #expect(try reader.page(after: 0, limit: 10, types: ["BookOpened"], session).through == 0)
      }
    }

    @Test func theHeadIsReadWhole() async throws {
      let written = try await write()
      try await written.database.asServer { session in
        try session.simple(
          """
          update log_head set batch_id = '01890a5d-ac96-774b-bcce-b302099a8057', rule_set = 3, incarnation = 2,
            last_moment = '2026-11-22 09:30:00.123456+00', generations = '{"entries": 2, "declines": 5}'
          """)
        let head = try written.reader.head(session)
        #expect(head.position == 10)
        #expect(head.batchID == Given.account)
        #expect(head.lastMoment == Moment("2026-11-22T09:30:00.123456Z"))
        #expect(head.incarnation == 2 && head.ruleSet == 3)
        #expect(head.generations == ["entries": 2, "declines": 5])
      }
    }

    @Test func readsBackEveryColumnAsItWasAppended() async throws {
      let written = try await write()
      let read = try await written.database.asServer { try written.reader.events(after: 0, limit: 100, $0) }
      #expect(read == written.events)
      let transfer = try #require(read.first { $0.origin.commandID == Self.id(3) })
      #expect(transfer.origin.actor.role == .customer)
      #expect(transfer.origin.causation == Self.id(77) && transfer.origin.correlation == Self.id(78))
      #expect(read[0].origin.correlation == read[0].origin.commandID && read[0].origin.causation == nil)
    }

    @Test(arguments: [1, 2, 3, 9, 10, 11]) func pagesMeetWithoutGapOrOverlap(limit: Int) async throws {
      let written = try await write()
      let read = try await written.database.asServer { session in
        var all: [AppendedEvent] = []
        while true {
          let page = try written.reader.page(after: all.last?.origin.position ?? 0, limit: limit, session)
          #expect(page.events.count <= limit)
          #expect(page.through == page.events.last?.origin.position ?? 10)
          if page.events.isEmpty { return all }
          all += page.events
        }
      }
      #expect(read == written.events)
    }

    @Test(arguments: [Int64(1), 2, 4, 1_000]) func typesAreFoundWhateverPartIsScannedAtOnce(scan: Int64) async throws {
      let written = try await write()
      let types: Set<String> = ["TransferReversed", "CustomerRegistered"]
      let expected = written.events.filter { types.contains($0.event.type) }
      try await written.database.asServer { session in
        #expect(try written.reader.events(after: 0, limit: 100, types: types, session) == expected)
        #expect(try written.reader.events(after: 0, limit: 3, types: types, session) == Array(expected.prefix(3)))
        #expect(try written.reader.events(after: 0, limit: 3, types: ["BookOpened"], session).isEmpty)
        var (found, after): ([AppendedEvent], Int64) = ([], 0)
        while after < 10 {
          let page = try written.reader.page(after: after, limit: 2, types: types, scanMaximum: scan, session)
          #expect(page.through > after && page.through <= after + max(scan, 10))
          found += page.events
          after = page.through
        }
        #expect(found == expected)
        #expect(try written.reader.page(after: 10, limit: 2, types: types, session).through == 10)
      }
    }

    @Test func aStreamIsWholeWhereverItsEventsAreIndexed() async throws {
      let written = try await write()
      let streams: [StreamID] = [
        // Named after its command, with a later event of another command.
        StreamID(.transfer, Self.id(3)),
        // Named by the client: its own command and the taken id both lead to it.
        StreamID(.transfer, Self.id(40)),
        StreamID(.customer, Given.mere), StreamID(.customer, Given.tane), StreamID(.transfer, Self.id(8)),
        // The command whose stream has another name, an id that only was a kind of something else, and one that nobody
        // has.
        StreamID(.transfer, Self.id(4)), StreamID(.account, Self.id(3)), StreamID(.transfer, Self.id(99)),
      ]
      try await written.database.asServer { session in
        for stream in streams {
          let expected = written.events.filter { $0.origin.stream == stream }
          #expect(try written.reader.stream(stream, session) == expected)
          #expect(try written.reader.events(after: 0, limit: 100, stream: stream, session) == expected)
          for after in 0...10 as ClosedRange<Int64> {
            let rest = expected.filter { $0.origin.position > after }
            let page = try written.reader.page(after: after, limit: 1, stream: stream, session)
            #expect(page.events == Array(rest.prefix(1)))
            #expect(page.through == rest.first?.origin.position ?? 10)
          }
        }
        let reversed = try written.reader.events(
          after: 0, limit: 10, stream: streams[0], types: ["TransferReversed"], session)
        #expect(reversed.map(\.origin.position) == [5])
      }
    }

    @Test func commandsAndTheIdsThatMovementsTook() async throws {
      let written = try await write()
      try await written.database.asServer { session in
        #expect(try written.reader.command(Self.id(7), session) == Array(written.events[6...8]))
        #expect(try written.reader.command(Self.id(4), session) == [written.events[3]])
        #expect(try written.reader.command(Self.id(40), session) == nil, "a taken id isn't a command")
        #expect(try written.reader.command(Self.id(99), session) == nil)
        let stored = try written.reader.commands([7, 4, 40, 99].map(Self.id), session)
        let hash = PersonalKeyring(masterKey: Given.masterKey()).contentHash(of: Array("\(Self.id(7))".utf8))
        #expect(stored[Self.id(7)] == StoredCommand(contentHash: hash, firstPosition: 7, count: 3))
        #expect(stored[Self.id(40)] == StoredCommand(contentHash: nil, firstPosition: 4, count: 1))
        #expect(stored[Self.id(4)]?.contentHash != nil)
        #expect(stored.count == 3)
        #expect(try written.reader.commands([], session).isEmpty)
      }
    }

    @Test func anEventThatCannotBeReadIsNamed() async throws {
      let written = try await write()
      try await written.database.asServer { session in
        try session.simple(
          """
          insert into events select position + 8, stream_kind, stream_id, 9, 'MoneyPrinted', schema_version, payload,
            command_id, command_index, actor, causation_id, correlation_id, moment, book_date, rule_set
          from events where position = 3;
          update log_head set position = 11;
          """)
        #expect(try written.reader.events(after: 0, limit: 10, session).count == 10)
        let fault = #expect(throws: LogFault.self) { try written.reader.events(after: 5, limit: 10, session) }
        #expect(fault?.description == "event 11: this build knows no event of type MoneyPrinted")
      }
    }

    @Test func theViewShowsPayloadsAsJSON() async throws {
      let written = try await write()
      let amount = try await written.database.asOwner { session in
        try session.execute("select payload->>'amount' from event_log where position = 4").text(0, 0)
      }
      #expect(amount == "1250")
    }
  }
}
