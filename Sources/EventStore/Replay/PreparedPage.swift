import Commands
import Ledger

/// A row with everything that can be found out from it alone, which is done for several pages at once. Several checks look
/// at each, so it is handed on and not copied.
final class PreparedRow: Sendable {
  let row: LogRow
  /// What it says, or why it can't be read.
  let event: Result<AppendedEvent, UnreadableRow>
  /// In the tree over the log.
  let leaf: TreeHash
  let texts: TextFindings
  let content: CommandContent

  /// What comes of the row alone: the event, the state of its texts, the command's content.
  ///
  /// - Throws: `MissingPersonalKeys` with the subjects whose keys have to be loaded before.
  init(_ row: LogRow, _ decoder: inout RowDecoder, keyring: PersonalKeyring?) throws {
    self.row = row
    leaf = LeafEncoding.hash(of: row)
    do {
      event = .success(try decoder.decode(row))
    } catch {
      event = .failure(UnreadableRow(error))
    }
    var (texts, content) = (TextFindings(), CommandContent.notHashed)
    if let keyring, case .success(let appended) = event {
      if EventCodec.holdsPersonalText(row.payload) { texts = try TextFindings(appended, keyring) }
      if row.commandIndex == 0 { content = try CommandContent(appended, keyring) }
    }
    self.texts = texts
    self.content = content
  }
}

/// What was found about the sealed texts of one event.
struct TextFindings: Hashable, Sendable {
  /// Opened, and the same bytes when sealed again.
  var verified = 0
  /// By subject, those whose key isn't there: compared as bytes and not opened. Whether it was erased, the end of the
  /// log and the tombstones say.
  var withoutKey: [Identifier: Int] = [:]
  /// Fields whose text isn't what was sealed, and how.
  var faults: [String] = []
}

extension TextFindings {
  /// - Throws: `MissingPersonalKeys` with the subjects whose keys have to be loaded before.
  fileprivate init(_ appended: AppendedEvent, _ keyring: PersonalKeyring) throws {
    let vault = ResealingVault(keyring, appended)
    var writer = RecordWriter(reserving: 512, form: .clear(vault))
    appended.event.write(to: &writer)
    if let failure = writer.failure { throw failure }
    guard vault.missing.isEmpty else { throw MissingPersonalKeys(vault.missing) }
    self = vault.findings
  }
}

/// The keyed hash of what a command said, worked out from its first event.
enum CommandContent: Hashable, Sendable {
  /// No key is at hand, or it needs more than the event.
  case notHashed
  case hash([UInt8])
  /// It holds text whose key has been erased.
  case erased
}

/// Consecutive rows of the log.
struct PreparedPage: Sendable {
  var rows: [PreparedRow]
  /// What `commands` has for the ids that these rows' commands are called by and take; nil where there is no such table.
  var commands: [Identifier: StoredCommand]?
  /// Rows that can't be read at all, by their positions, and why.
  var unreadable: [Int64: String] = [:]
  /// What the source found by itself.
  var differences: [LogDifference] = []
  /// Subjects whose keys can't be unwrapped.
  var alteredKeys: Set<Identifier> = []
  /// What was signed and kept of the tree over these rows.
  var seal = PageSeal()
}

/// What a source has of the tree over a page's rows.
struct PageSeal: Sendable {
  /// The tiles of the rows' leaves; nil where there are none.
  var tiles: [TileID: [TreeHash]]?
  /// Checkpoints whose trees end within the page, by size.
  var checkpoints: [GivenCheckpoint] = []
}

extension CommandContent {
  /// - Throws: `MissingPersonalKeys`.
  fileprivate init(_ first: AppendedEvent, _ keyring: PersonalKeyring) throws {
    // A list import says only what it changed: whoever has the list before it hashes it.
    if case .sanctionsListImported = first.event {
      self = .notHashed
    } else if let instruction = Instruction(recoveredFrom: [first.event], on: BookState()) {
      self = try CommandContent(instruction, first.origin, keyring)
    } else {
      self = .notHashed
    }
  }

  /// - Throws: `MissingPersonalKeys`.
  init(_ instruction: Instruction, _ origin: EventOrigin, _ keyring: PersonalKeyring) throws {
    let vault = OpeningVault(keyring)
    var writer = RecordWriter(reserving: 512, form: .clear(vault))
    CommandEnvelope(id: origin.commandID, actor: origin.actor, instruction: instruction).writeContent(to: &writer)
    if let failure = writer.failure as? MissingPersonalKeys { throw failure }
    guard vault.missing.isEmpty else { throw MissingPersonalKeys(vault.missing) }
    // A text that isn't what was sealed is found by itself; there is nothing to hash.
    let isLegible = !vault.metErased && !writer.metErased && writer.failure == nil
    self = isLegible ? .hash(keyring.contentHash(of: writer.json.bytes)) : .erased
  }
}
