import Commands
import Crypto
import EventStore
import Ledger
import Postgres

/// The values that the tests speak of.
enum Given {
  static let mere = Identifier(high: 0x0189_0a5d_b1f2_7d03, low: 0x8a11_6cbb_0f2e_4d91)
  static let tane = Identifier(high: 0x0189_0a5d_b1f2_7d04, low: 0x8a11_6cbb_0f2e_4d92)
  static let command = Identifier(high: 0x0189_0a5d_c0de_7001, low: 0x8002_0000_0000_00ff)
  static let account = Identifier(high: 0x0189_0a5d_ac96_774b, low: 0xbcce_b302_099a_8057)
  static let other = Identifier(high: 0x0189_0a5d_ac96_7a1c, low: 0x9c0f_2f4b_1c8d_7e60)

  /// A master key of 32 bytes that are all the same.
  static func masterKey(_ byte: UInt8 = 7) -> SymmetricKey {
    SymmetricKey(data: [UInt8](repeating: byte, count: 32))
  }

  static func registered(_ name: String = "Mere Ngata", _ subject: CustomerID = mere) -> Event {
    .customerRegistered(
      CustomerRegistered(
        instruction: RegisterCustomer(
          customerID: subject, name: PersonalText(name, subject: subject),
          dateOfBirth: PersonalText("1990-02-28", subject: subject), country: "NZ")))
  }

  static func transfer(
    _ id: TransferID = command, reference: PersonalText? = nil, amount: MinorUnits = 1250
  ) -> Event {
    let instruction = PostTransfer(
      transferID: id, debit: .id(account), credit: .id(other), amount: amount, currency: .nzd, reference: reference)
    return .transferPosted(
      TransferPosted(
        terms: TransferTerms(instruction, debit: account, credit: other),
        basis: DecisionBasis(availableBefore: 100_000)))
  }

  static func reversal(of id: TransferID) -> Event {
    .transferReversed(
      TransferReversed(
        transferID: id, reason: PersonalText("paid twice", subject: mere), debitAccountID: other,
        creditAccountID: account, amount: 1250, currency: .nzd,
        limitsUsedOn: CalendarDate(daysSince1970: 20_000)))
  }
}

/// Appends to a log in tests as the server does, one command at a time: events, the command's row, the head.
struct TestLog {
  let codec: EventCodec
  let keyring: PersonalKeyring
  private(set) var position: Int64 = 0
  private(set) var appended: [AppendedEvent] = []

  init(_ keyring: PersonalKeyring = PersonalKeyring(masterKey: Given.masterKey())) {
    self.keyring = keyring
    codec = EventCodec(keyring: keyring)
  }

  /// - Parameter alias: an id of the client's own choice that the command takes besides its own.
  mutating func append(
    _ events: [Event], command: CommandID, actor: Actor = .kauri, causation: Identifier? = nil,
    correlation: Identifier? = nil, version: Int64 = 1, alias: Identifier? = nil, _ session: Session
  ) throws {
    try session.transaction {
      let first = position + 1
      for (index, event) in events.enumerated() {
        position += 1
        let encoded = try encode(event, command, index, session)
        let stored = try codec.decode(
          type: event.type, schemaVersion: event.schemaVersion, payload: encoded, command: command)
        let origin = EventOrigin(
          position: position, stream: event.stream(command: command), version: version + Int64(index),
          commandID: command, index: index, actor: actor, causation: causation, correlation: correlation ?? command,
          moment: Moment(microseconds: 1_700_000_000_000_000 + position),
          bookDate: CalendarDate(daysSince1970: 19_676), ruleSet: 1)
        try insert(event, origin, encoded, correlation, session)
        appended.append(AppendedEvent(origin: origin, event: stored, payload: encoded))
      }
      let hash = keyring.contentHash(of: Array("\(command)".utf8))
      var rows: [(Identifier, [UInt8]?)] = [(command, hash)]
      if let alias { rows.append((alias, nil)) }
      for (id, hash) in rows {
        try session.execute(
          "insert into commands values ($1, $2, $3, $4)",
          [.uuid(id.high, id.low), .bytea(hash), .int8(first), .int4(Int32(events.count))])
      }
      try session.execute(
        "update log_head set position = $1, last_moment = $2, batch_id = gen_random_uuid()",
        [.int8(position), .timestamptz(microsecondsSince1970: 1_700_000_000_000_000 + position)])
    }
  }

  private func encode(_ event: Event, _ command: CommandID, _ index: Int, _ session: Session) throws -> [UInt8] {
    do {
      return try codec.encode(event, command: command, index: index).payload
    } catch let missing as MissingPersonalKeys {
      try keyring.loadKeys(for: missing.subjects, session: session, creatingMissing: true)
      return try codec.encode(event, command: command, index: index).payload
    }
  }

  private func insert(
    _ event: Event, _ origin: EventOrigin, _ payload: [UInt8], _ correlation: Identifier?, _ session: Session
  ) throws {
    try session.execute(
      "insert into events values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
      [
        .int8(origin.position), .text(origin.stream.kind.rawValue),
        .uuid(origin.stream.id.high, origin.stream.id.low), .int8(origin.version), .text(event.type),
        .int2(Int16(event.schemaVersion)), .bytea(payload),
        .uuid(origin.commandID.high, origin.commandID.low), .int4(Int32(origin.index)),
        .text(origin.actor.description), .uuid(origin.causation.map { ($0.high, $0.low) }),
        .uuid(correlation.map { ($0.high, $0.low) }),
        .timestamptz(microsecondsSince1970: origin.moment.microseconds),
        .date(daysSince1970: origin.bookDate.daysSince1970), .int4(Int32(origin.ruleSet)),
      ])
  }
}
