import Commands
import EventStore
import Ledger
import Testing

/// What a superuser who disables the triggers does to a log: each change is found, and named where it was made.
@Suite(.serialized) struct TamperingTests {
  /// What was done, and how the report must name it.
  struct Change {
    let sql: String
    /// Of the first difference that has `field`.
    let position: Int64
    /// What the difference's field begins with.
    let field: String

    init(_ sql: String, at position: Int64, _ field: String) {
      self.sql = sql
      self.position = position
      self.field = field
    }
  }

  private func expectFound(
    _ change: Change, in book: ReplayBook, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await book.tamper(change.sql)
    let report = try await book.verify()
    try await book.restore()
    #expect(!report.isSound, "not found: \(change.sql)", sourceLocation: sourceLocation)
    let named = report.differences.contains { $0.position == change.position && $0.field.hasPrefix(change.field) }
    #expect(
      named, "\(change.sql) was found as \(report.differences.prefix(5).map(\.description))",
      sourceLocation: sourceLocation)
    for difference in report.differences {
      #expect(difference.expected != difference.found, "\(difference)", sourceLocation: sourceLocation)
    }
  }

  /// Positions of a few events of a kind that was looked for.
  private func positions(of type: String, in book: ReplayBook) async throws -> [Int64] {
    try await book.book.log().filter { $0.event.type == type }.map(\.origin.position)
  }

  @Test func oneByteOfAColumn() async throws {
    try await ReplayBook.run(commands: 200) { book in
      try await book.keepCopy()
      let place = try #require(try await positions(of: "TransferPosted", in: book).dropFirst(3).first)
      func set(_ column: String, _ value: String) -> String {
        "update events set \(column) = \(value) where position = \(place)"
      }
      let changes = [
        Change(set("position", "position + 100000"), at: place, "position"),
        Change(set("stream_kind", "'journal'"), at: place, "stream_kind"),
        Change(set("stream_id", "'00000000-0000-0000-0000-000000000001'"), at: place, "stream_id"),
        Change(set("stream_version", "2"), at: place, "stream_version"),
        Change(set("type", "'TransferPostee'"), at: place, "type"),
        Change(set("schema_version", "2"), at: place, "schema_version"),
        Change(set("payload", "set_byte(payload, 12, get_byte(payload, 12) # 1)"), at: place, "payload"),
        Change(set("command_id", "'cccccccc-0000-0000-0000-000000000001'"), at: place, "commands row"),
        Change(set("command_index", "1"), at: place, "command_index"),
        Change(set("actor", "'operator:op-3'"), at: place, "commands.content_hash"),
        Change(set("moment", "moment - interval '1 second'"), at: place, "moment"),
        Change(set("book_date", "book_date + 1"), at: place, "book_date"),
        Change(set("rule_set", "2"), at: place, "rule_set"),
      ]
      for change in changes { try await expectFound(change, in: book) }
      #expect(try await book.verify().isSound)
    }
  }

  @Test func rowsThatAreNotWhatTheyWere() async throws {
    try await ReplayBook.run(commands: 200) { book in
      try await book.keepCopy()
      let transfers = try await positions(of: "TransferPosted", in: book)
      let (one, other) = (transfers[transfers.count / 2], transfers[transfers.count / 2 + 1])
      let last = try await book.book.log().count
      let columns = """
        stream_kind, stream_id, stream_version, type, schema_version, payload, command_id, command_index, actor,
        causation_id, correlation_id, moment, book_date, rule_set
        """
      let changes = [
        Change("delete from events where position = \(one)", at: one, "position"),
        // A swapped pair: each row is whole, and in the other's place.
        Change(
          """
          delete from events where position in (\(one), \(other));
          insert into events select \(one) + \(other) - position, \(columns) from kept.events
            where position in (\(one), \(other));
          """, at: other, "moment"),
        // A row that was made up, between two that are there: everything after it moves.
        Change(
          """
          delete from events where position > \(one);
          insert into events select position + 1, \(columns) from kept.events where position > \(one);
          insert into events select \(one) + 1, stream_kind, gen_random_uuid(), stream_version, type, schema_version,
            payload, gen_random_uuid(), command_index, actor, causation_id, correlation_id,
            moment + interval '1 microsecond', book_date, rule_set from events where position = \(one);
          update log_head set position = position + 1;
          """, at: one + 1, "commands row"),
        Change(
          "delete from events where position > \(last - 3)", at: Int64(last - 2), "position"),
        Change(
          """
          insert into events select position + 1, stream_kind, gen_random_uuid(), stream_version, type, schema_version,
            payload, gen_random_uuid(), command_index, actor, causation_id, correlation_id,
            moment, book_date, rule_set from events where position = \(last)
          """, at: Int64(last + 1), "position"),
      ]
      for change in changes { try await expectFound(change, in: book) }
    }
  }

  /// A payload that says what it must not say, and is good JSON all the same: the amount, somebody else's key, a check.
  @Test func payloadsThatSayOtherwise() async throws {
    try await ReplayBook.run(commands: 200) { book in
      try await book.keepCopy()
      let log = try await book.book.log()
      func replace(_ text: String, with other: String, at position: Int64) -> String {
        """
        update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\(text)', '\(other)'), 'UTF8')
          where position = \(position)
        """
      }
      for (type, text, other, field) in [
        ("TransferPosted", "\"amount\":\"", "\"amount\":\"1", "commands.content_hash"),
        ("TransferPosted", "\"available_before\":\"", "\"available_before\":\"1", "payload/available_before"),
        ("TransferDeclined", "\"insufficient_funds\"", "\"limit_daily\"", "payload"),
        ("CustomerRegistered", "\"sealed\":\"", "\"sealed\":\"AAAA", "payload"),
        ("SanctionsEntryAdded", "\"name\":\"", "\"name\":\"X", "commands.content_hash"),
        ("JournalPosted", "\"direction\":\"debit\"", "\"direction\":\"credit\"", "postings"),
      ] {
        let row = try #require(
          log.first { $0.event.type == type && String(decoding: $0.payload, as: UTF8.self).contains(text) }, "\(type)")
        let position =
          field.hasPrefix("commands") ? row.origin.position - Int64(row.origin.index) : row.origin.position
        try await expectFound(
          Change(replace(text, with: other, at: row.origin.position), at: position, field), in: book)
      }
    }
  }

  @Test func theTableOfCommands() async throws {
    try await ReplayBook.run(commands: 200) { book in
      try await book.keepCopy()
      let place = try #require(try await positions(of: "TransferPosted", in: book).dropFirst(3).first)
      let row = "where first_position = \(place) and content_hash is not null"
      let changes = [
        Change("update commands set first_position = first_position + 1 \(row)", at: place, "commands.first_position"),
        Change("update commands set event_count = 2 \(row)", at: place, "commands.event_count"),
        Change(
          "update commands set content_hash = set_byte(content_hash, 3, get_byte(content_hash, 3) # 1) \(row)",
          at: place, "commands.content_hash"),
        Change("update commands set content_hash = null \(row)", at: place, "commands.content_hash"),
        Change("delete from commands \(row)", at: place, "commands row of command"),
        Change(
          "insert into commands values ('00000000-0000-0000-0000-0000000000aa', null, \(place), 1)", at: 0,
          "commands row of 00000000-0000-0000-0000-0000000000aa"),
        Change(
          "insert into commands values ('00000000-0000-0000-0000-0000000000aa', null, 100000, 1)", at: 0,
          "rows of commands behind the head"),
        Change("delete from commands where content_hash is null", at: 0, "rows of commands"),
      ]
      for change in changes { try await expectFound(change, in: book) }
    }
  }

  @Test func theHead() async throws {
    try await ReplayBook.run(commands: 50) { book in
      try await book.keepCopy()
      let last = Int64(try await book.book.log().count)
      let changes = [
        Change("update log_head set position = position + 1", at: last + 1, "position"),
        Change("update log_head set position = position - 1", at: last, "position"),
        Change("update log_head set position = 9223372036854775807", at: last + 1, "position"),
        Change("update log_head set last_moment = 'epoch'", at: 0, "log_head.last_moment"),
        Change("update log_head set last_moment = last_moment + interval '50 years'", at: 0, "log_head.last_moment"),
        Change("update log_head set incarnation = 7", at: 0, "log_head.incarnation"),
        Change("delete from log_head", at: 0, "log_head"),
        Change(
          "update log_head set frontier = '\\x8000000000000000' || substring(frontier from 9)", at: 0,
          "log_head.frontier"),
        Change("update log_head set rule_set = 2", at: 0, "log_head.rule_set"),
      ]
      for change in changes { try await expectFound(change, in: book) }
    }
  }

  // MARK: The seal

  /// What nothing else than the seal can tell: columns that no decision reads.
  @Test func columnsThatNoDecisionReads() async throws {
    try await ReplayBook.run(commands: 120) { book in
      try await book.keepCopy()
      let place = try #require(try await positions(of: "TransferPosted", in: book).dropFirst(3).first)
      for (column, value) in [
        ("causation_id", "gen_random_uuid()"), ("correlation_id", "gen_random_uuid()"),
        ("correlation_id", "command_id"), ("moment", "moment + interval '1 microsecond'"),
      ] {
        try await expectFound(
          Change("update events set \(column) = \(value) where position = \(place)", at: place, "leaf"), in: book)
      }
    }
  }

  /// Whoever re-computes what hangs on a row needs the key to go on with it: the next signed checkpoint tells.
  @Test func recomputedLeavesAndRewrittenTails() async throws {
    try await ReplayBook.run(commands: 120) { book in
      let key = CheckpointKey()
      let signed = try await book.sign(key)
      let kept = try GivenCheckpoint(note: signed.note, name: "kept.txt", key: key.publicKey)
      try await book.keepCopy()
      let sound = try await book.verify {
        $0.checkpointKey = key.publicKey
        $0.checkpoints = [kept]
      }
      #expect(sound.differences == [])
      #expect(sound.checkpoints == 2 && sound.signatures == 2)

      // A leaf that was re-computed in its tile, with everything above it.
      try await book.tamper("update events set correlation_id = gen_random_uuid() where position = 20")
      try await reseal(book)
      let resealed = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(resealed.differences.map(\.field) == ["checkpoint of \(signed.size) events"])
      #expect(resealed.differences.first?.position == signed.size)
      try await book.restore()
      try await reseal(book)

      // With a checkpoint that says so too: then its signature isn't the key's, and the kept one differs.
      try await book.tamper("update events set correlation_id = gen_random_uuid() where position = 20")
      try await reseal(book)
      let forged = try await book.recorded { try SealedHead.read($0) }
      let note = signed.note.replacing(signed.root.base64, with: forged.root.base64)
      try await book.tamper(
        """
        update checkpoints set root = '\\x\(forged.root)', note = '\(note)' where size = \(signed.size)
        """)
      let report = try await book.verify {
        $0.checkpointKey = key.publicKey
        $0.checkpoints = [kept]
      }
      #expect(report.differences.contains { $0.field.hasSuffix("events: signature") })
      #expect(report.differences.contains { $0.field == "kept.txt of \(signed.size) events" })
      #expect(report.total == 2)
    }
  }

  /// A tail that was taken away, with everything that says that it was there; a checkpoint that was kept tells.
  @Test func aTruncatedTail() async throws {
    try await ReplayBook.run(commands: 120) { book in
      let key = CheckpointKey()
      let signed = try await book.sign(key)
      let kept = try GivenCheckpoint(note: signed.note, name: "kept.txt", key: key.publicKey)
      let log = try await book.book.log()
      // Whole commands are taken away, so that nothing else shows.
      let first = try #require(log.last { $0.origin.position < signed.size - 5 && $0.origin.index == 0 }).origin
        .position
      try await book.tamper(
        """
        delete from events where position >= \(first);
        delete from commands where first_position >= \(first);
        update log_head set position = \(first - 1),
          last_moment = (select moment from events where position = \(first - 1));
        """)
      try await reseal(book)
      // The database's own checkpoint tells, until it is taken away too.
      let stored = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(stored.differences.map(\.field) == ["checkpoint of \(signed.size) events"])
      #expect(stored.differences.first?.position == first)
      try await book.tamper("delete from checkpoints")
      #expect(try await book.verify().isSound)
      let report = try await book.verify {
        $0.checkpointKey = key.publicKey
        $0.checkpoints = [kept]
      }
      #expect(report.differences.map(\.field) == ["kept.txt of \(signed.size) events"])
      #expect(report.differences.first?.position == first)
      #expect(report.differences.first?.expected == "events \(first) to \(signed.size), which were signed")
    }
  }

  /// An incarnation that nobody declared doesn't excuse what was signed, and a checkpoint of none isn't left out.
  @Test func incarnationsThatWereMadeUp() async throws {
    try await ReplayBook.run(commands: 120) { book in
      let key = CheckpointKey()
      let signed = try await book.sign(key)
      try await book.tamper(
        """
        update events set correlation_id = gen_random_uuid() where position = 20;
        insert into incarnations values (2, 10, gen_random_uuid(), 'made up');
        update log_head set incarnation = 2;
        """)
      try await reseal(book)
      let report = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(report.differences.map(\.field) == ["checkpoint of \(signed.size) events"])
      #expect(report.differences.first?.position == 11)
      // What was signed of the incarnation before, as far as this one says that it was kept, is held against the log.
      await #expect(throws: BrokenTree.self) {
        try await book.tamper("update incarnations set begins_after = \(signed.size)")
        _ = try await book.sign(key)
      }
      try await book.tamper(
        "delete from incarnations; update log_head set incarnation = 1; update checkpoints set incarnation = 9")
      let hidden = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(hidden.differences.contains { $0.field == "checkpoints of incarnation 9" })
      #expect(hidden.differences.contains { $0.field == "checkpoint of \(signed.size) events" })
    }
  }

  /// Signed is what the log is of, whatever a read model says.
  @Test func aBookOfAnotherName() async throws {
    try await ReplayBook.run(commands: 20) { book in
      let key = CheckpointKey()
      let own = try await book.recorded { try #require(try SealedHead.read($0).book) }
      try await book.tamper("update book set book_id = '11111111-1111-1111-1111-111111111111'")
      await #expect(throws: BrokenTree.self) { _ = try await book.sign(key) }
      try await book.tamper("update book set book_id = '\(own)'")
      let signed = try await book.sign(key)
      try await book.tamper("update book set book_id = '11111111-1111-1111-1111-111111111111'")
      await #expect(throws: BrokenTree.self) { _ = try await book.sign(key) }
      // Somebody with the key signs another name.
      let other = try key.sign(
        Checkpoint(
          origin: Checkpoint.origin(book: Identifier(high: 1, low: 1), incarnation: 1), size: signed.size,
          root: signed.root)
      ).note
      try await book.tamper("update checkpoints set note = '\(other)'")
      let report = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(report.differences.map(\.field) == ["checkpoint of \(signed.size) events: checkpoints.note"])
    }
  }

  /// A tile that was made longer takes no leaf at the wrong place: the append fails, and leaves nothing.
  @Test func aTileThatIsLongerThanTheTree() async throws {
    try await ReplayBook.run(commands: 20) { book in
      let before = try await book.book.log().count
      try await book.tamper("update tiles set hashes = hashes || sha256('a') where level = 0")
      var teller = Teller(accounts: 6)
      _ = teller.opening(funds: 1)
      let command = CommandEnvelope(
        id: Identifier(high: 0x711E, low: 1), actor: Teller.staff[0],
        instruction: .setPolicy(SetPolicy(change: .retentionDays(3))))
      let result = try await book.book.writer().commit([command])
      guard case .unavailable(.commandFailed(let reason))? = result.first else {
        Issue.record("\(result)")
        return
      }
      #expect(reason.contains("tile"), "\(reason)")
      #expect(try await book.book.log().count == before)
    }
  }

  @Test func howFarItIsSignedIsSaid() async throws {
    try await ReplayBook.run(commands: 50) { book in
      let key = CheckpointKey()
      let signed = try await book.sign(key)
      let whole = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(whole.signedThrough == signed.size && whole.omissions == [])
      let command = CommandEnvelope(
        id: Identifier(high: 0x711E, low: 2), actor: Teller.staff[0],
        instruction: .setPolicy(SetPolicy(change: .retentionDays(3))))
      _ = try await book.book.writer().commit([command])
      let more = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(more.isSound && more.signedThrough == signed.size && more.last > signed.size)
      #expect(
        more.omissions == ["events \(signed.size + 1) to \(more.last): no signed checkpoint covers them yet"])
    }
  }

  @Test func tilesAndFrontier() async throws {
    try await ReplayBook.run(commands: 300) { book in
      try await book.keepCopy()
      try await book.tamper("create table kept.tiles as select * from tiles")
      let undo = "delete from tiles; insert into tiles select * from kept.tiles"
      for (sql, position, field) in [
        (
          "update tiles set hashes = set_byte(hashes, 32 * 9, get_byte(hashes, 32 * 9) # 1) where level = 0 and index = 0",
          Int64(10), "leaf"
        ),
        (
          "update tiles set hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) where level = 1", 0,
          "tile 0 of level 1"
        ),
        ("delete from tiles where level = 0 and index = 1", 257, "leaf"),
        ("insert into tiles values (0, 900, sha256('a'))", 0, "tiles of level 0"),
        ("insert into tiles values (5, 0, sha256('a'))", 0, "tiles of level 5"),
        ("update tiles set hashes = hashes || sha256('a') where level = 1", 0, "tiles of level 1"),
        ("update log_head set frontier = set_byte(frontier, 12, get_byte(frontier, 12) # 1)", 0, "log_head.frontier"),
        ("update log_head set frontier = ''", 0, "log_head.frontier"),
      ] {
        try await expectFound(Change(sql, at: position, field), in: book)
        try await book.tamper(undo)
      }
      #expect(try await book.verify().isSound)
    }
  }

  /// Seals the log anew, as somebody would who has every right on the database and no key.
  private func reseal(_ book: ReplayBook) async throws {
    try await book.tamper("delete from tiles; update log_head set frontier = ''")
    _ = try await book.recorded { try LogSealing.sealExisting($0) }
  }
}
