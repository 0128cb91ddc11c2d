import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

extension OnAServer {
  @Suite struct SealingTests {
    private let keyring = PersonalKeyring(masterKey: Given.masterKey())
    private var codec: EventCodec { EventCodec(keyring: keyring) }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A database, and the key of Mere in it.
    private func databaseWithKey() async throws -> Database {
      let database = try await Database.migrated()
      let created = try await database.asServer {
        try keyring.loadKeys(for: [Given.mere], session: $0, creatingMissing: true)
      }
      #expect(created == [Given.mere])
      return database
    }

    private func decode(_ encoded: EncodedEvent, as event: Event) throws -> Event {
      try codec.decode(
        type: event.type, schemaVersion: event.schemaVersion, payload: encoded.payload, command: Given.command)
    }

    // MARK: Bytes

    @Test func withoutPersonalTextNoKeyIsNeededAndNothingIsSealed() throws {
      let encoded = try codec.encode(Given.transfer(), command: Given.command, index: 0)
      #expect(!encoded.sealed)
      #expect(try decode(encoded, as: Given.transfer()) == Given.transfer())
      let shown = try codec.render(encoded.payload, event: Given.transfer(), command: Given.command, form: .clear)
      #expect(shown == encoded.payload)
    }

    @Test func keysThatAreMissingAreNamedAllAtOnce() throws {
      let instruction = RegisterCustomer(
        customerID: Given.mere, name: PersonalText("Mere", subject: Given.mere),
        dateOfBirth: PersonalText("1990-02-28", subject: Given.tane))
      let event = Event.customerRegistered(CustomerRegistered(instruction: instruction))
      #expect(throws: MissingPersonalKeys([Given.mere, Given.tane])) {
        try codec.encode(event, command: Given.command, index: 0)
      }
    }

    @Test func theSameDecisionGivesTheSameBytesAndEveryOtherOthers() async throws {
      let database = try await databaseWithKey()
      let event = Given.registered()
      let once = try codec.encode(event, command: Given.command, index: 0)
      #expect(once.sealed)
      #expect(!text(once.payload).contains("Mere") && !text(once.payload).contains("1990"))
      #expect(try codec.encode(event, command: Given.command, index: 0) == once)
      // Another server, with the same master key and the same row.
      let other = PersonalKeyring(masterKey: Given.masterKey())
      let created = try await database.asServer {
        try other.loadKeys(for: [Given.mere], session: $0, creatingMissing: true)
      }
      #expect(created.isEmpty, "it is there already")
      #expect(try EventCodec(keyring: other).encode(event, command: Given.command, index: 0) == once)
      var seen: Set<[UInt8]> = [once.payload]
      let otherName = Given.registered("Mera Ngata")
      #expect(seen.insert(try codec.encode(event, command: Given.tane, index: 0).payload).inserted)
      #expect(seen.insert(try codec.encode(event, command: Given.command, index: 1).payload).inserted)
      #expect(seen.insert(try codec.encode(otherName, command: Given.command, index: 0).payload).inserted)
    }

    @Test func whatWasSealedIsReadSealedAndShownToThoseWhoMaySeeIt() async throws {
      _ = try await databaseWithKey()
      let encoded = try codec.encode(Given.registered("Mere \"Aroha\" Ngata\n"), command: Given.command, index: 0)
      let event = try decode(encoded, as: Given.registered())
      guard case .customerRegistered(let registered) = event,
        case .sealed(let bytes) = registered.instruction.name.content
      else {
        Issue.record("not sealed: \(event)")
        return
      }
      #expect(registered.instruction.name.subject == Given.mere)
      #expect(try keyring.open(bytes, subject: Given.mere, field: "name") == "Mere \"Aroha\" Ngata\n")
      let again = try codec.encode(event, command: Given.command, index: 0)
      #expect(again.payload == encoded.payload && !again.sealed)
      let clear = try codec.render(encoded.payload, event: event, command: Given.command, form: .clear)
      #expect(
        text(clear)
          == #"{"customer_id":"\#(Given.mere)","name":"Mere \"Aroha\" Ngata\n","#
          + #""date_of_birth":"1990-02-28","country":"NZ"}"#)
      let withheld = try codec.render(encoded.payload, event: event, command: Given.command, form: .withheld)
      #expect(
        text(withheld)
          == #"{"customer_id":"\#(Given.mere)","name":{"withheld":true},"#
          + #""date_of_birth":{"withheld":true},"country":"NZ"}"#)
    }

    @Test func textThatLooksSealedIsShownAsItIs() throws {
      let instruction = RecordRefusal(resource: #"a,"sealed":"b"#)
      let event = Event.accessRefused(AccessRefused(instruction: .recordRefusal(instruction)))
      let encoded = try codec.encode(event, command: Given.command, index: 0)
      let shown = try codec.render(encoded.payload, event: event, command: Given.command, form: .withheld)
      #expect(shown == encoded.payload)
    }

    // MARK: Faults

    @Test func anErasedKeyErasesTheText() async throws {
      let database = try await databaseWithKey()
      let encoded = try codec.encode(Given.registered(), command: Given.command, index: 0)
      let event = try decode(encoded, as: Given.registered())
      try await database.asOwner { try $0.simple("delete from personal_keys") }
      keyring.forget([Given.mere])
      #expect(throws: MissingPersonalKeys([Given.mere])) {
        try codec.render(encoded.payload, event: event, command: Given.command, form: .clear)
      }
      let created = try await database.asServer {
        try keyring.loadKeys(for: [Given.mere], session: $0, creatingMissing: false)
      }
      #expect(created.isEmpty)
      let shown = try codec.render(encoded.payload, event: event, command: Given.command, form: .clear)
      #expect(
        text(shown)
          == #"{"customer_id":"\#(Given.mere)","name":{"erased":true},"date_of_birth":{"erased":true},"country":"NZ"}"#)
    }

    @Test func theWrongMasterKeyIsToldAsSuch() async throws {
      let database = try await databaseWithKey()
      let other = PersonalKeyring(masterKey: Given.masterKey(8))
      for creating in [true, false] {
        let fault = await #expect(throws: PersonalKeyFault.self) {
          try await database.asServer {
            try other.loadKeys(for: [Given.mere], session: $0, creatingMissing: creating)
          }
        }
        #expect(fault == .wrongMasterKey(subject: Given.mere))
        #expect(fault?.description.contains("master key") == true)
      }
    }

    @Test func aKeyMovedToAnotherSubjectIsRefused() async throws {
      let database = try await databaseWithKey()
      try await database.asOwner {
        _ = try $0.execute("update personal_keys set subject = $1", [.uuid(Given.tane.high, Given.tane.low)])
      }
      await #expect(throws: PersonalKeyFault.wrongMasterKey(subject: Given.tane)) {
        try await database.asServer { try keyring.loadKeys(for: [Given.tane], session: $0, creatingMissing: false) }
      }
    }

    @Test func everyBitOfTheSealedTextCounts() async throws {
      _ = try await databaseWithKey()
      let encoded = try codec.encode(Given.registered("Mere"), command: Given.command, index: 0)
      guard case .customerRegistered(let registered) = try decode(encoded, as: Given.registered()),
        case .sealed(let bytes) = registered.instruction.name.content
      else { throw NotSealed() }
      #expect(bytes.count == 12 + 4 + 16)
      let altered = PersonalKeyFault.altered(subject: Given.mere, field: "name")
      for bit in 0..<bytes.count * 8 {
        var changed = bytes
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(throws: altered) { try keyring.open(changed, subject: Given.mere, field: "name") }
      }
      for shorter in [[], Array(bytes.prefix(27)), Array(bytes.dropLast())] {
        #expect(throws: altered) { try keyring.open(shorter, subject: Given.mere, field: "name") }
      }
      #expect(throws: PersonalKeyFault.altered(subject: Given.mere, field: "reason")) {
        try keyring.open(bytes, subject: Given.mere, field: "reason")
      }
    }

    private struct NotSealed: Error {}

    // MARK: Keys and transactions

    @Test func aKeyOfATransactionThatFailedIsForgotten() async throws {
      let database = try await Database.migrated()
      try await database.asServer { session in
        try session.simple("begin")
        let created = try keyring.loadKeys(for: [Given.mere, Given.tane], session: session, creatingMissing: true)
        #expect(created == [Given.mere, Given.tane])
        _ = try codec.encode(Given.registered(), command: Given.command, index: 0)
        try session.simple("rollback")
        keyring.forget(created)
        #expect(throws: MissingPersonalKeys([Given.mere])) {
          try codec.encode(Given.registered(), command: Given.command, index: 0)
        }
        #expect(try keyring.loadKeys(for: [Given.mere], session: session, creatingMissing: true) == [Given.mere])
      }
    }

    @Test func aKeyThatWasMissingIsLookedForAgain() async throws {
      let database = try await Database.migrated()
      let forgetful = PersonalKeyring(masterKey: Given.masterKey(), capacity: 16, absenceLifetime: .zero)
      try await database.asServer { session in
        try forgetful.loadKeys(for: [Given.mere], session: session, creatingMissing: false)
        // Another server makes it.
        try keyring.loadKeys(for: [Given.mere], session: session, creatingMissing: true)
        let encoded = try codec.encode(Given.registered(), command: Given.command, index: 0)
        let event = try decode(encoded, as: Given.registered())
        let reader = EventCodec(keyring: forgetful)
        #expect(throws: MissingPersonalKeys([Given.mere])) {
          try reader.render(encoded.payload, event: event, command: Given.command, form: .clear)
        }
        try forgetful.loadKeys(for: [Given.mere], session: session, creatingMissing: false)
        let shown = try reader.render(encoded.payload, event: event, command: Given.command, form: .clear)
        #expect(text(shown).contains(#""name":"Mere Ngata""#))
      }
    }

    @Test func twoServersThatMakeOneKeyAgreeOnIt() async throws {
      let database = try await Database.migrated()
      let subjects = Set((1...50).map { Identifier(high: 5, low: $0) })
      let payloads = try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
        for _ in 0..<4 {
          group.addTask {
            try await database.asServer { session in
              let keyring = PersonalKeyring(masterKey: Given.masterKey())
              try keyring.loadKeys(for: subjects, session: session, creatingMissing: true)
              return try subjects.sorted().map { subject in
                try EventCodec(keyring: keyring).encode(
                  Given.registered("Mere", subject), command: Given.command, index: 0
                ).payload
              }
            }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(payloads).count == 1)
    }

    @Test func aSmallKeyringStillServesABatchOfHalfItsSize() async throws {
      let database = try await Database.migrated()
      try await database.asServer { session in
        let small = PersonalKeyring(masterKey: Given.masterKey(), capacity: 20)
        for batch in 0..<5 as Range<UInt64> {
          let subjects = Set((1...10).map { Identifier(high: batch, low: $0) })
          try small.loadKeys(for: subjects, session: session, creatingMissing: true)
          for subject in subjects {
            _ = try EventCodec(keyring: small).encode(
              Given.registered("Mere", subject), command: Given.command, index: 0)
          }
        }
        #expect(throws: MissingPersonalKeys.self) {
          try EventCodec(keyring: small).encode(
            Given.registered("Mere", Identifier(high: 0, low: 1)), command: Given.command, index: 0)
        }
      }
    }
  }
}

@Suite struct ContentHashTests {
  @Test func isKeyedAndSixteenBytes() {
    let content = Array(#"{"actor":"customer:1","command":"PostTransfer"}"#.utf8)
    let hash = PersonalKeyring(masterKey: Given.masterKey()).contentHash(of: content)
    #expect(hash.count == 16)
    #expect(PersonalKeyring(masterKey: Given.masterKey()).contentHash(of: content) == hash)
    #expect(PersonalKeyring(masterKey: Given.masterKey(8)).contentHash(of: content) != hash)
    #expect(PersonalKeyring(masterKey: Given.masterKey()).contentHash(of: content + [0x20]) != hash)
  }

  /// HKDF-SHA-256 of 32 bytes 0x07 and the purpose, then HMAC-SHA-256, worked out with Python's hmac: stored hashes
  /// must be recognised by every later build.
  @Test func isTheSameForEver() {
    let hash = PersonalKeyring(masterKey: Given.masterKey()).contentHash(of: Array("kauri".utf8))
    let expected = "e8 ad 46 61 15 b3 67 68 2e 1a aa 84 7c b5 9f 31"
    #expect(hash.map { String($0, radix: 16) }.joined(separator: " ") == expected)
  }
}
