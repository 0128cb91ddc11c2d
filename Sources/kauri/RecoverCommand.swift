import ArgumentParser
import EventStore
import Ledger
import Postgres

/// `kauri recover`: after a restore or a failover, before anybody writes.
struct RecoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "Declare that a book was restored, or failed over: its log begins a new history.",
    discussion: """
      Run it once after a restore from a backup, and after a failover to a standby that may have lacked commits, before \
      the servers are started. It raises the book's incarnation and records up to where the log was kept, so that \
      whoever had read further is told. What was lost, kauri replay verify says from a checkpoint that was signed before.

      The database can't know of incarnations that began after its backup was made, as when one backup is restored \
      twice. Give the newest checkpoint that was kept, of whatever incarnation, and what the recovery before this one \
      answered: the new incarnation is greater than all of them.

      Runs as the role that owns the schema. Nothing of the log is changed.
      """)

  @OptionGroup var place: BookDatabaseOptions

  @Option(help: ArgumentHelp("Why, for whoever reads it in years.", valueName: "text"))
  var reason: String

  @Option(
    help: ArgumentHelp(
      "A signed checkpoint of this book that was kept. May be given several times; needs --key.", valueName: "file"))
  var checkpoint: [String] = []

  @Option(help: ArgumentHelp("The bank's public key, to check checkpoints' signatures.", valueName: "file"))
  var key: String?

  @Option(
    help: ArgumentHelp(
      "The highest incarnation that is known to have been there; 1 when the book was never recovered before.",
      valueName: "number"))
  var incarnation: Int?

  @Flag(help: "Print what was declared as JSON.")
  var json = false

  func validate() throws {
    // Nobody begins a new history of a book that wasn't named.
    guard place.dataDirectory != nil || place.database != nil else {
      throw ValidationError("Give --data-dir or --database, one of them.")
    }
    guard !reason.isEmpty, reason.utf8.count <= 1_000, !reason.utf8.contains(0) else {
      throw ValidationError("--reason takes 1 to 1000 bytes of text.")
    }
    // What the database says of itself isn't enough: a second restore of one backup would be given the same number.
    guard !checkpoint.isEmpty || incarnation != nil else {
      throw ValidationError(
        "Give --checkpoint, the newest that was kept, or --incarnation, the highest that is known; or both.")
    }
    guard checkpoint.isEmpty || key != nil else { throw ValidationError("--checkpoint needs --key.") }
    if let incarnation, !(1...1_000_000).contains(incarnation) {
      throw ValidationError("--incarnation takes 1 to 1000000.")
    }
  }

  /// - Throws: what isn't a checkpoint, or isn't signed by the key.
  private func checkpoints() throws -> [Checkpoint] {
    guard let key else { return [] }
    let trusted = try ReplayFile.publicKey(key)
    return try checkpoint.map { file in
      let text = try ReplayFile.text(file)
      do throws(CheckpointFault) {
        return try trusted.verify(note: text)
      } catch {
        throw ArchiveFault(path: file, reason: error.description)
      }
    }
  }

  func run() async throws {
    let known = try checkpoints()
    let connection = try await Connection.connect(
      ConnectionConfiguration(
        conninfo: try place.ownerConninfo(), applicationName: "kauri recover",
        settings: ["idle_in_transaction_session_timeout": "10s", "lock_timeout": "10s"]))
    let beginning: Result<Incarnations.Beginning, any Error>
    do {
      beginning = .success(
        try await connection.run { [reason, incarnation] session in
          try Incarnations.begin(reason: reason, after: known, known: incarnation ?? 0, session)
        })
    } catch {
      beginning = .failure(error)
    }
    await connection.close()
    let declared = try beginning.get()
    if json {
      var writer = JSONWriter(reserving: 64)
      writer.beginObject()
      writer.field("incarnation", integer: declared.incarnation)
      writer.field("begins_after", integer: declared.beginsAfter)
      writer.endObject()
      Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
    } else {
      Terminal.answer(
        "incarnation \(declared.incarnation): the log is kept up to position \(declared.beginsAfter), and goes on from "
          + "there")
    }
  }
}
