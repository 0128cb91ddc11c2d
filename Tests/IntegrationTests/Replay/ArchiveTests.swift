import Commands
import Crypto
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// The archive: files that prove themselves, and a log that is verified from them.
@Suite(.serialized) struct ArchiveTests {
  /// A sealed and signed book, a folder for its archive, and how far it goes.
  private static func run(
    commands: Int = 300, _ body: (ReplayBook, String, CheckpointKey, StoredCheckpoint) async throws -> Void
  ) async throws {
    try await ReplayBook.run(commands: commands) { book in
      let folder = try TemporaryDirectories.make()
      defer { try? Files.remove(folder) }
      let key = CheckpointKey()
      let checkpoint = try await book.sign(key)
      try await body(book, folder, key, checkpoint)
    }
  }

  private static func check(_ path: String, _ checkpoint: StoredCheckpoint) throws -> SegmentReport {
    var check = SegmentCheck(
      try Segment(path: path), against: Checkpoint(origin: "", size: checkpoint.size, root: checkpoint.root))
    return try check.run()
  }

  private static func verify(
    _ folder: String, rest: DatabaseLog? = nil, _ change: (inout LogVerification.Options) -> Void = { _ in }
  ) async throws -> VerificationReport {
    var options = LogVerification.Options()
    options.pageSize = 100
    change(&options)
    return try await LogVerification(ArchivedLog(folder: folder, rest: rest), keyring: nil, options: options).run()
  }

  private static func bytes(_ path: String) async throws -> [UInt8] {
    let dump = try await Program("od").output(["-An", "-v", "-tx1", path])
    return dump.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
  }

  // MARK: Export

  @Test func theSameRangeGivesTheSameFiles() async throws {
    try await Self.run { book, folder, key, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      #expect(written.count == Int((checkpoint.size + 149) / 150))
      #expect(written.map(\.positions.lowerBound) == written.indices.map { Int64($0) * 150 + 1 })
      #expect(written.last?.positions.upperBound == checkpoint.size)
      #expect(written.allSatisfy { !$0.wasThere })
      for segment in written { #expect(try Self.check(segment.path, checkpoint).isSound) }

      // The log grows and is signed again; the files stay the same.
      var teller = Teller(accounts: 6, seed: 7)
      for result in try await book.book.writer().commit(teller.opening(funds: 5)) { _ = try result.outcome() }
      _ = try await book.sign(key)
      #expect(try await book.export(1...checkpoint.size, to: folder).allSatisfy(\.wasThere))
      let other = try TemporaryDirectories.make()
      defer { try? Files.remove(other) }
      for (one, twin) in zip(written, try await book.export(1...checkpoint.size, to: other)) {
        #expect(try await Program("cmp").run([one.path, twin.path]).exitStatus == 0)
      }

      // A file that holds something else isn't overwritten.
      try Files.write("something else", to: written[0].path, mode: 0o644)
      await #expect(throws: ArchiveFault.self) { try await book.export(1...150, to: folder) }
      #expect(Files.read(written[0].path) == "something else")
    }
  }

  @Test func theToolReadsASegment() async throws {
    try await Self.run(commands: 100) { book, folder, _, checkpoint in
      let written = try await book.export(1...120, to: folder)
      let output = "\(folder)/rows"
      try await Program("lz4").output(["-d", "-q", written[0].path, output])
      let expected = try await book.withPool { pool in
        try await DatabaseLog(pool: pool, keyring: nil).rows(1...120).rows.flatMap { row -> [UInt8] in
          let bytes = LeafEncoding.bytes(of: row)
          return withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
        }
      }
      #expect(try await Self.bytes(output) == expected)
    }
  }

  @Test func whatIsNotAsItWasSignedIsNotArchived() async throws {
    try await Self.run(commands: 60) { book, folder, _, checkpoint in
      try await book.tamper("update events set correlation_id = gen_random_uuid() where position = 20")
      await #expect(throws: ArchiveFault.self) { try await book.export(1...checkpoint.size, to: folder) }
      await #expect(throws: ArchiveFault.self) { try await book.export(1...checkpoint.size + 1, to: folder) }
      #expect(try Files.entries(of: folder).filter { $0.contains("kauri.lz4") } == [])
    }
  }

  // MARK: Checking one segment

  /// Each proves itself against the checkpoint that it was made for, and against one that ends within it.
  @Test func aSegmentProvesItself() async throws {
    try await ReplayBook.run(commands: 100) { book in
      let folder = try TemporaryDirectories.make()
      defer { try? Files.remove(folder) }
      let key = CheckpointKey()
      let first = try await book.sign(key)
      var teller = Teller(accounts: 6, seed: 7)
      for result in try await book.book.writer().commit(teller.opening(funds: 5)) { _ = try result.outcome() }
      let second = try await book.sign(key)
      let written = try await book.export(31...second.size, to: folder, segmentSize: 1_000_000)
      let path = try #require(written.first).path
      #expect(try Self.check(path, second).isSound)
      let part = try Self.check(path, first)
      #expect(part.faults == [] && part.proven == Int(first.size) - 30)
      #expect(!part.isSound)

      // Another log's checkpoint, and one of what was before it.
      var foreign = second
      foreign.root = first.root
      #expect(try Self.check(path, foreign).proven == 0)
      var early = first
      early.size = 30
      #expect(try !Self.check(path, early).faults.isEmpty)
    }
  }

  /// No byte of a segment can be altered without the check, or the reader, finding it.
  @Test func everyByteCounts() async throws {
    try await Self.run(commands: 0) { book, folder, _, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      let sound = try await Self.bytes(written[0].path)
      let path = "\(folder)/altered"
      // The checkpoint and the proof that stand in the file are the exporter's; whoever checks brings a checkpoint.
      var unnoticed: [Int] = []
      for place in stride(from: 0, to: sound.count, by: 31) {
        var bytes = sound
        bytes[place] ^= 1 << UInt8(place % 8)
        try Files.write(bytes, to: path, mode: 0o644)
        if (try? Self.check(path, checkpoint))?.isSound == true { unnoticed.append(place) }
      }
      #expect(unnoticed == [])
      for length in stride(from: 0, to: sound.count, by: 397) {
        try Files.write(Array(sound[..<length]), to: path, mode: 0o644)
        #expect((try? Self.check(path, checkpoint))?.isSound != true)
      }
    }
  }

  // MARK: Verifying from segments

  @Test func aLogIsVerifiedWithoutADatabase() async throws {
    try await Self.run { book, folder, key, checkpoint in
      _ = try await book.export(1...checkpoint.size, to: folder)
      let report = try await Self.verify(folder) {
        $0.checkpointKey = key.publicKey
      }
      #expect(report.differences == [])
      let whole = try await book.verify()
      #expect(report.commands == whole.commands && report.events == whole.events)
      #expect(report.checkpoints == 1 && report.signatures == 1)
      #expect(report.omissions.contains { $0.contains("table of commands") })

      // Without the first segment there is nothing to decide on; without one in the middle the gap is named.
      let names = try Files.entries(of: folder).sorted()
      try #require(names.count > 2)
      try Files.remove("\(folder)/\(names[1])")
      let gap = try await Self.verify(folder)
      #expect(gap.differences.contains { $0.field == "position" && $0.position == 151 })
      try Files.remove("\(folder)/\(names[0])")
      await #expect(throws: ArchiveFault.self) { try await Self.verify(folder) }
    }
  }

  /// A range that was exported may leave the database: the segments and the rest are verified as the whole was.
  @Test func aDetachedPartitionIsVerifiedFromTheArchive() async throws {
    try await Self.run { book, folder, key, checkpoint in
      let keyring = book.auditorsKeyring
      let whole = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(whole.differences == [])
      _ = try await book.export(1...checkpoint.size, to: folder)
      // What comes after is appended to the next partition, as if the first were full.
      try await book.tamper(
        """
        alter table events detach partition events_000000;
        create table events_rest partition of events for values from (\(checkpoint.size + 1)) to (10000001);
        grant select, insert on events_rest to kauri_server;
        """)
      var teller = Teller(accounts: 6, seed: 7)
      for result in try await book.book.writer().commit(teller.opening(funds: 5)) { _ = try result.outcome() }
      _ = try await book.sign(key)
      await #expect(throws: IncompleteLog.self) { try await book.verify() }
      let report = try await book.withPool { pool in
        var options = LogVerification.Options()
        options.pageSize = 100
        options.checkpointKey = key.publicKey
        let source = try ArchivedLog(folder: folder, rest: DatabaseLog(pool: pool, keyring: keyring))
        return try await LogVerification(source, keyring: keyring, options: options).run()
      }
      #expect(report.differences == [])
      #expect(report.commands > whole.commands)
      #expect(report.contentsCompared == report.commands)
      #expect(report.checkpoints == 2 && report.signatures == 2)
    }
  }

  /// What was archived and still stands in the database must be the same there: each column that isn't is named.
  @Test func whatStandsInBothMustBeTheSame() async throws {
    try await Self.run { book, folder, _, checkpoint in
      _ = try await book.export(1...checkpoint.size, to: folder)
      func verify() async throws -> VerificationReport {
        try await book.withPool { pool in
          try await Self.verify(folder, rest: DatabaseLog(pool: pool, keyring: nil))
        }
      }
      #expect(try await verify().differences == [])
      try await book.keepCopy()
      for (sql, field, expected) in [
        ("update events set actor = 'operator:op-9' where position = 20", "actor", nil),
        ("update events set correlation_id = gen_random_uuid() where position = 20", "correlation_id", nil),
        ("update events set book_date = book_date + 1 where position = 20", "book_date", nil),
        (
          "update events set payload = set_byte(payload, 3, get_byte(payload, 3) # 1) where position = 20", "payload",
          nil
        ),
        ("delete from events where position = 20", "row", "the row that the archive has"),
      ] as [(String, String, String?)] {
        try await book.tamper(sql)
        let report = try await verify()
        try await book.restore()
        let named = report.differences.filter { $0.position == 20 && $0.field.hasPrefix(field) }
        #expect(named.count == 1 && report.total == 1, "\(sql): \(report.differences)")
        #expect(named.first?.field.hasSuffix(" in the database") == true)
        if let expected { #expect(named.first?.expected == expected) }
      }
      #expect(try await verify().isSound)
    }
  }

  /// Rows that no segment has come from the database, also between two segments.
  @Test func aMissingSegmentsRowsComeFromTheDatabase() async throws {
    try await Self.run { book, folder, _, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      try #require(written.count > 2)
      try Files.remove(written[1].path)
      let report = try await book.withPool { pool in
        try await Self.verify(folder, rest: DatabaseLog(pool: pool, keyring: nil))
      }
      #expect(report.differences == [])
      #expect(report.events == checkpoint.size)
    }
  }

  // MARK: Tables of ids that were forged

  /// Alters the id of an entry of a segment's index; `rehashing` writes the index's hash anew, as a forger would.
  private static func alter(
    _ path: String, _ table: SegmentIndex.Table, entry: Int, rehashing: Bool, _ change: (inout [UInt8]) -> Void
  ) async throws {
    var bytes = try await bytes(path)
    let place = table.offset + entry * 20
    var id = Array(bytes[place..<place + 16])
    change(&id)
    bytes.replaceSubrange(place..<place + 16, with: id)
    if rehashing {
      let end = bytes.count - 48
      let start = bytes[(end + 32)..<(end + 40)].reduce(0) { $0 << 8 | Int($1) } + 8
      bytes.replaceSubrange(end..<end + 32, with: Array(SHA256.hash(data: bytes[start..<end])))
    }
    try Files.write(bytes, to: path, mode: 0o644)
  }

  /// The tables of ids aren't believed: what they hide or move is found all the same, and the forgery is named by its
  /// segment, table and id, and nothing else is.
  @Test(arguments: [false, true]) func forgedTablesOfIds(rehashing: Bool) async throws {
    try await Self.run { book, folder, _, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      let log = try await book.book.log()
      // The first transfer that is reversed later, and the entry of its reversal.
      let reversal = try #require(log.first { $0.event.type == "TransferReversed" })
      let stream = reversal.origin.stream.id
      let segment = try #require(
        try written.map { try Segment(path: $0.path) }.first { $0.positions.contains(reversal.origin.position) })
      let rows = log.filter { segment.positions.contains($0.origin.position) }
      let streams = rows.filter { $0.origin.stream.id != $0.origin.commandID }
        .map { ($0.origin.stream.id, $0.origin.position) }.sorted { $0 < $1 }
      #expect(streams.count == segment.index.streams.count)
      let entry = try #require(streams.firstIndex { $0 == (stream, reversal.origin.position) })
      let before = try await Self.verify(folder)
      #expect(before.differences == [])

      try await Self.alter(segment.path, segment.index.streams, entry: entry, rehashing: rehashing) { $0[15] ^= 1 }
      let report = try await Self.verify(folder)
      #expect(!report.isSound)
      let table = "segment \(segment.path): table of streams, id "
      #expect(report.differences.contains { $0.field == "\(table)\(stream)" && $0.found.hasPrefix("no entry") })
      #expect(report.differences.contains { $0.field.hasPrefix(table) && $0.expected.hasPrefix("no entry") })
      // The bank isn't accused of what its archive was made to say.
      #expect(report.differences.allSatisfy { $0.field.hasPrefix("segment \(segment.path): ") })
      #expect(report.differences.contains { $0.field.hasSuffix("the index's hash") } == !rehashing)
      #expect(report.differences.filter { $0.field.hasPrefix(table) }.count == 2)
    }
  }

  @Test func aForgedTableOfCommandsIsNamed() async throws {
    try await Self.run { book, folder, _, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      for segment in try written.map({ try Segment(path: $0.path) }) {
        try await Self.alter(segment.path, segment.index.commands, entry: 0, rehashing: true) { $0[15] ^= 0x80 }
      }
      let report = try await Self.verify(folder)
      for path in written.map(\.path) {
        let named = report.differences.filter { $0.field.hasPrefix("segment \(path): table of commands, id ") }
        #expect(named.count == 2)
      }
      #expect(report.differences.allSatisfy { $0.field.contains(": table of commands") })
    }
  }

  /// A frame that can't be read is named, with the rows that are missing for it; the rest is looked at.
  @Test func aFrameThatCanNotBeRead() async throws {
    try await Self.run { book, folder, _, checkpoint in
      let written = try await book.export(1...checkpoint.size, to: folder)
      var bytes = try await Self.bytes(written[1].path)
      bytes[20] ^= 0x10
      try Files.write(bytes, to: written[1].path, mode: 0o644)
      let report = try await Self.verify(folder)
      #expect(report.differences.contains { $0.position == 151 && $0.field.hasSuffix("frame 0") })
      #expect(report.differences.contains { $0.position == 151 && $0.field == "position" })
      #expect(report.events == checkpoint.size - Int64(written[1].positions.count))
    }
  }
}
