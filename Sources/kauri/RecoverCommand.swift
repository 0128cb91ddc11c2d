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

      Runs as the role that owns the schema. Nothing of the log is changed.
      """)

  @OptionGroup var place: BookDatabaseOptions

  @Option(help: ArgumentHelp("Why, for whoever reads it in years.", valueName: "text"))
  var reason: String

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
  }

  func run() async throws {
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: try place.ownerConninfo()))
    let beginning: Result<Incarnations.Beginning, any Error>
    do {
      beginning = .success(try await connection.run { [reason] in try Incarnations.begin(reason: reason, $0) })
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
