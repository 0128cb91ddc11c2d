import ArgumentParser
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections

/// `kauri erasures`: what keeps a restored backup from bringing erased customers back.
struct ErasuresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erasures",
    abstract: "Keep a list of erased customers outside of the database, and erase them again after a restore.",
    discussion: "See docs/operations.md, Erasure and backups.",
    subcommands: [ExportErasuresCommand.self, ApplyErasuresCommand.self])
}

/// `kauri erasures export FILE`.
struct ExportErasuresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Add to a list what has been erased since it was last written.",
    discussion: """
      Run it regularly and after every erasure, and keep the file apart from the backups, for as long as there are \
      backups from before its last line. Running it twice adds nothing twice.
      """)

  @Argument(help: "The list, made if it isn't there.")
  var file: String

  @OptionGroup var database: BookDatabaseOptions

  @Flag(help: "Answer as one JSON object.")
  var json = false

  func run() async throws {
    let (bookID, erased) = try await withBook(try database.conninfo()) { session in
      (try bookIdentifier(session), try Erasures.all(session))
    }
    var list =
      try Files.exists(file) ? ErasureList(path: file, bookID: bookID) : ErasureList(bookID: bookID)
    let added = list.add(erased)
    if added > 0 || !Files.exists(file) { try list.write(to: file) }
    if json {
      answer(["added": added, "listed": list.subjects.count])
    } else {
      Terminal.answer("\(added) added, \(list.subjects.count) listed")
    }
  }
}

/// `kauri erasures apply FILE`.
struct ApplyErasuresCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Erase again, in a restored book, everybody who is on a list.",
    discussion: """
      Runs as the role that owns the schema, after a restore and before the first server starts. Each customer's key is \
      deleted and never made again, whether or not the restored log knows of the customer or of its erasure. Running it \
      twice changes nothing.
      """)

  @Argument(help: "The list that kauri erasures export has written.")
  var file: String

  @OptionGroup var database: BookDatabaseOptions

  @Flag(help: "Answer as one JSON object.")
  var json = false

  func run() async throws {
    let file = file
    let (listed, applied) = try await withBook(try database.ownerConninfo()) { session in
      let list = try ErasureList(path: file, bookID: try bookIdentifier(session))
      let subjects = Set(list.subjects.map(\.customerID))
      return (subjects.count, try Erasures.apply(subjects, session))
    }
    if json {
      answer(["listed": listed, "erased": applied.erased, "keys_deleted": applied.keys])
    } else {
      Terminal.answer("\(listed) listed, \(applied.erased) erased again, \(applied.keys) keys deleted")
    }
  }
}

/// Runs `body` on a session of its own.
private func withBook<Value: Sendable>(
  _ conninfo: String, _ body: @Sendable (Session) throws -> Value
) async throws -> Value {
  let connection = try await Connection.connect(
    ConnectionConfiguration(
      conninfo: conninfo, applicationName: "kauri erasures",
      settings: ["lock_timeout": "10s", "statement_timeout": "60s"]))
  do {
    let value = try await connection.run(body)
    await connection.close()
    return value
  } catch {
    await connection.close()
    throw error
  }
}

private func bookIdentifier(_ session: Session) throws -> Identifier {
  let head = try LogHead(session.execute("select \(LogHead.columns) from log_head"))
  let table = Generation(head.generations["book"] ?? 1).table("book")
  let rows = try session.execute("select book_id from \(table)")
  guard rows.count == 1 else { throw ErasureListFault(description: "the book hasn't been opened") }
  let (high, low) = try rows.uuid(0, 0)
  return Identifier(high: high, low: low)
}

private func answer(_ figures: KeyValuePairs<StaticString, Int>) {
  var writer = JSONWriter()
  writer.beginObject()
  for (name, figure) in figures { writer.field(name, integer: figure) }
  writer.endObject()
  Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
}
