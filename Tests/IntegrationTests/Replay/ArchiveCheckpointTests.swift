import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// A segment that was exported with one checkpoint, and an auditor who has another.
@Suite(.serialized) struct ArchiveCheckpointTests {
  private struct Archived {
    let book: ReplayBook
    let folder: String
    let key: CheckpointKey
    /// The segments were exported with this one.
    let own: StoredCheckpoint
    /// Signed later.
    let newer: StoredCheckpoint
    let segments: [SegmentExport.Written]

    func given(_ checkpoint: StoredCheckpoint) throws -> GivenCheckpoint {
      try GivenCheckpoint(note: checkpoint.note, name: "kept.txt", key: key.publicKey)
    }

    func consistency(from: Int64, to: Int64) async throws -> ConsistencyProof {
      try await book.recorded { session in
        try SealedLog.consistency(from: from, to: to) { try TileTable.read($0, session) }
      }
    }

    func check(
      _ path: String, _ given: Checkpoint, _ key: CheckpointPublicKey, _ consistency: ConsistencyProof? = nil
    ) throws -> SegmentReport {
      var check = SegmentCheck(try Segment(path: path), against: given, key: key, consistency: consistency)
      return try check.run()
    }
  }

  private static func run(_ body: (Archived) async throws -> Void) async throws {
    try await ReplayBook.run(commands: 200) { book in
      let folder = try TemporaryDirectories.make()
      defer { try? Files.remove(folder) }
      let key = CheckpointKey()
      let own = try await book.sign(key)
      let segments = try await book.export(1...own.size, to: folder)
      var teller = Teller(accounts: 6, seed: 7)
      for result in try await book.book.writer().commit(teller.opening(funds: 5)) { _ = try result.outcome() }
      let newer = try await book.sign(key)
      try #require(newer.size > own.size)
      try await body(
        Archived(book: book, folder: folder, key: key, own: own, newer: newer, segments: segments))
    }
  }

  /// Neither proved nor false: its own checkpoint proves it, and a consistency proof leads from there.
  @Test func aNewerCheckpointNeedsAConsistencyProof() async throws {
    try await Self.run { archive in
      let newer = try archive.given(archive.newer).checkpoint
      let key = archive.key.publicKey
      let proof = try await archive.consistency(from: archive.own.size, to: archive.newer.size)
      for path in archive.segments.map(\.path) {
        let alone = try archive.check(path, newer, key)
        #expect(alone.faults == [] && alone.proven == 0 && !alone.isSound)
        let own = try #require(alone.own)
        #expect(own.size == UInt64(archive.own.size) && own.givenSize == UInt64(newer.size) && own.isSignatureChecked)
        #expect(own.request == "GET /v1/audit/consistency?from=\(archive.own.size)&to=\(newer.size)")

        let proved = try archive.check(path, newer, key, proof)
        #expect(proved.isSound && proved.own == nil && proved.faults == [])

        // Proofs between other sizes and of other trees prove nothing.
        let shorter = try await archive.consistency(from: archive.own.size - 1, to: archive.newer.size)
        #expect(try archive.check(path, newer, key, shorter).faults.count == 1)
        var altered = proof
        altered.root2 = altered.root1
        #expect(try archive.check(path, newer, key, altered).faults.count == 1)
        var foreign = newer
        foreign.root = archive.own.root
        #expect(try !archive.check(path, foreign, key, proof).isSound)

        // Its own checkpoint counts for nothing when another key signed it, or for another book.
        let stranger = try archive.check(path, newer, CheckpointKey().publicKey)
        #expect(stranger.own == nil && stranger.faults.count == 1)
        var other = newer
        other.origin = "kauri.\(Identifier(high: 9, low: 9))/1"
        #expect(try archive.check(path, other, key).own == nil)
      }
    }
  }

  @Test func segmentsAreVerifiedAgainstANewerCheckpoint() async throws {
    try await Self.run { archive in
      func verify(_ consistency: ConsistencyProof?) async throws -> VerificationReport {
        var options = LogVerification.Options()
        options.checkpointKey = archive.key.publicKey
        options.checkpoints = [try archive.given(archive.newer)]
        options.consistency = consistency
        let source = try ArchivedLog(folder: archive.folder, rest: nil)
        return try await LogVerification(source, keyring: nil, options: options).run()
      }
      let alone = try await verify(nil)
      #expect(alone.differences.map(\.field) == ["kept.txt of \(archive.newer.size) events"])
      let request = "GET /v1/audit/consistency?from=\(archive.own.size)&to=\(archive.newer.size)"
      #expect(alone.differences.first?.found.contains(request) == true)
      let proof = try await archive.consistency(from: archive.own.size, to: archive.newer.size)
      let proved = try await verify(proof)
      #expect(proved.differences == [] && proved.checkpoints == 2 && proved.signatures == 2)
      var altered = proof
      altered.root1 = altered.root2
      #expect(try await verify(altered).total == 1)
    }
  }

  @Test func importCheckSaysWhatIsMissing() async throws {
    try await Self.run { archive in
      let files = try TemporaryDirectories.make()
      defer { try? Files.remove(files) }
      let (note, key, answer) = ("\(files)/newer.txt", "\(files)/key.pub", "\(files)/consistency.json")
      try Files.write(archive.newer.note, to: note, mode: 0o644)
      try Files.write(archive.key.publicKey.line + "\n", to: key, mode: 0o644)
      let proof = try await archive.consistency(from: archive.own.size, to: archive.newer.size)
      let hashes = proof.hashes.map { "\"\($0.base64)\"" }.joined(separator: ",")
      try Files.write(
        """
        {"size1":\(proof.size1),"size2":\(proof.size2),"root1":"\(proof.root1.base64)",
        "root2":"\(proof.root2.base64)","proof":[\(hashes)]}
        """, to: answer, mode: 0o644)
      let command = ["replay", "import-check", archive.segments[0].path, "--checkpoint", note, "--key", key]
      let alone = try await KauriProcess.run(command)
      #expect(alone.status == 1, "\(alone.output)\(alone.errors)")
      #expect(alone.output.contains("GET /v1/audit/consistency?from=\(archive.own.size)&to=\(archive.newer.size)"))
      #expect(alone.output.contains("proved by the file's own checkpoint"))
      let json = try await KauriProcess.run(command + ["--json"])
      #expect(json.status == 1 && json.output.contains("\"own_checkpoint\""))
      let proved = try await KauriProcess.run(command + ["--consistency", answer])
      #expect(proved.status == 0, "\(proved.output)\(proved.errors)")
      #expect(proved.output.hasSuffix("the segment is what was signed\n"))
    }
  }
}
