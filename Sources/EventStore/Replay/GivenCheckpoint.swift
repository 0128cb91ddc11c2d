import Ledger

/// A checkpoint that a log is held against, and what was found of its note and its signature.
public struct GivenCheckpoint: Sendable {
  /// For whoever reads of it: `checkpoint` for one of the log's own, a file's name for another.
  public var name: String
  public var checkpoint: Checkpoint
  /// As its note has it; nil where the note can't be read.
  var origin: String?
  /// Of the log that stored it; nil for one that the auditor brought.
  public var incarnation: Int?
  /// Nil where no key was given.
  var signature: Result<Void, CheckpointFault>?
  /// What its note says otherwise than its row.
  var fault: String?
  /// Columns of its row that can't be read, and what they hold.
  var unreadable: [String: String] = [:]

  /// One that an auditor kept.
  ///
  /// - Parameter key: nil when the signature can't be looked at.
  /// - Throws: `CheckpointFault` for what isn't a checkpoint.
  public init(note: String, name: String, key: CheckpointPublicKey?) throws(CheckpointFault) {
    guard let checkpoint = Checkpoint(text: try SignedNote(parsing: note).text) else {
      throw .malformed("its text isn't an origin, a size and a root")
    }
    self.name = name
    self.checkpoint = checkpoint
    origin = checkpoint.origin
    signature = key.map { GivenCheckpoint.verify(note, $0) }
  }

  /// Why its signature can't be believed; nil where it can, and where no key was given.
  public var signatureFault: CheckpointFault? {
    if case .failure(let fault)? = signature { fault } else { nil }
  }

  /// One that the log's database has.
  init(_ stored: StoredCheckpoint, key: CheckpointPublicKey?) {
    name = "checkpoint"
    incarnation = stored.incarnation
    unreadable = stored.unreadable
    checkpoint = Checkpoint(origin: "", size: stored.size, root: stored.root)
    do throws(CheckpointFault) {
      let own = try GivenCheckpoint(note: stored.note, name: name, key: key)
      signature = own.signature
      origin = own.origin
      // Then what was signed is held against the tree.
      if stored.unreadable["root"] != nil { checkpoint.root = own.checkpoint.root }
      if own.checkpoint.size != stored.size || own.checkpoint.root != checkpoint.root {
        fault = "size \(own.checkpoint.size), root \(own.checkpoint.root)"
      } else if !own.checkpoint.origin.hasSuffix("/\(stored.incarnation)") {
        fault = "origin \(own.checkpoint.origin)"
      }
    } catch {
      fault = error.description
    }
  }

  private static func verify(_ note: String, _ key: CheckpointPublicKey) -> Result<Void, CheckpointFault> {
    do throws(CheckpointFault) {
      _ = try key.verify(note: note)
      return .success(())
    } catch {
      return .failure(error)
    }
  }
}

/// That a log's end leads to a checkpoint that was signed later (RFC 6962, section 2.1.2), as a segment has it.
public struct SegmentProof: Hashable, Sendable {
  /// The segment's file.
  public var name: String
  /// The checkpoint, a signed note.
  public var note: String
  public var hashes: [TreeHash]

  public init(name: String, note: String, hashes: [TreeHash]) {
    self.name = name
    self.note = note
    self.hashes = hashes
  }
}

extension Checkpoint {
  /// The incarnation that its origin names; nil where it names none.
  var incarnation: Int? {
    guard let slash = origin.lastIndex(of: "/"), let number = Int(origin[origin.index(after: slash)...]),
      (1..<Int(Int32.max)).contains(number)
    else { return nil }
    return number
  }
}
