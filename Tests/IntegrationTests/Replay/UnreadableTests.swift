import Commands
import EventStore
import Ledger
import Testing

/// What a tamperer writes that can't even be read: it is named, and the rest is looked at all the same.
@Suite(.serialized) struct UnreadableTests {
  /// A transfer whose row can't be read, and which a command in a later page reverses.
  @Test func aRowThatALaterCommandAsksAbout() async throws {
    try await ReplayBook.run(commands: 300) { book in
      let log = try await book.book.log()
      var posted: [Identifier: Int64] = [:]
      var place: Int64?
      for event in log {
        if event.event.type == "TransferPosted" { posted[event.origin.stream.id] = event.origin.position }
        guard event.event.type == "TransferReversed", let earlier = posted[event.origin.stream.id] else { continue }
        // Pages of one row: whatever is asked about stands in an earlier page.
        place = place ?? earlier
      }
      let position = try #require(place)
      try await book.keepCopy()
      try await book.tamper("update events set moment = 'infinity' where position = \(position)")
      let report = try await book.verify { $0.pageSize = 1 }
      try await book.restore()
      #expect(report.differences.contains { $0.position == position && $0.field == "row" })
      #expect(report.events == Int64(log.count) - 1)
      #expect(try await book.verify().isSound)
    }
  }

  @Test func aKeyThatWasAltered() async throws {
    try await ReplayBook.run(commands: 100) { book in
      let sound = try await book.verify()
      let subject = Identifier(high: 0xC057, low: book.accounts[0].low)
      let flip = """
        update personal_keys set wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1)
        """
      try await book.tamper("\(flip) where subject = '\(subject)'")
      for pageSize in [1, 64] {
        let report = try await book.verify { $0.pageSize = pageSize }
        #expect(report.differences.map(\.field) == ["personal_keys.wrapped_key of subject \(subject)"])
        #expect(report.total == 1)
        #expect(report.events == sound.events && report.commands == sound.commands)
        #expect(report.texts > 0 && report.texts < sound.texts)
      }
      // When no key can be unwrapped it is the master key that is another, and the bank isn't accused.
      try await book.tamper("\(flip) where subject <> '\(subject)'")
      await #expect(throws: PersonalKeyFault.self) { try await book.verify() }
    }
  }

  @Test func checkpointsAndTilesOfAnotherLength() async throws {
    try await ReplayBook.run(commands: 100) { book in
      let key = CheckpointKey()
      let signed = try await book.sign(key)
      let sound = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(sound.differences == [])
      try await book.tamper(
        """
        create schema kept; create table kept.tiles as select * from tiles;
        create table kept.checkpoints as select * from checkpoints;
        alter table checkpoints drop constraint if exists checkpoints_root_check;
        alter table tiles drop constraint if exists tiles_hashes_check;
        """)
      let undo = """
        delete from tiles; insert into tiles select * from kept.tiles;
        delete from checkpoints; insert into checkpoints select * from kept.checkpoints;
        """
      func verify(_ sql: String) async throws -> VerificationReport {
        try await book.tamper(sql)
        let report = try await book.verify { $0.checkpointKey = key.publicKey }
        try await book.tamper(undo)
        return report
      }
      let root = try await verify("update checkpoints set root = substr(root, 1, 31)")
      #expect(root.differences.map(\.field) == ["checkpoints.root of checkpoint of \(signed.size) events"])
      #expect(root.differences.first?.expected == "32 bytes" && root.differences.first?.found == "31 bytes")
      #expect(root.events == sound.events && root.checkpoints == 1)
      let moment = try await verify("update checkpoints set signed_at = 'infinity'")
      #expect(moment.differences.map(\.field) == ["checkpoints.signed_at of checkpoint of \(signed.size) events"])
      let tile = try await verify(
        "update tiles set hashes = substr(hashes, 1, octet_length(hashes) - 1) where level = 0 and index = 0")
      #expect(tile.differences.first?.position == 1 && tile.differences.first?.field == "leaf")
      #expect(tile.events == sound.events)
    }
  }
}
