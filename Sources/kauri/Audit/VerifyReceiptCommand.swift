import ArgumentParser
import EventStore
import Ledger
import LocalStack

/// `kauri verify-receipt`: checks a receipt with nothing but the bank's public key.
struct VerifyReceiptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-receipt",
    abstract: "Check offline that a command is in a bank's log, by the receipt that its answer came with.",
    discussion: """
      The file holds the whole answer of a command that was given with Prefer: receipt, or its receipt alone. The key \
      is the bank's, from the bank: without it nothing says who signed. Exit status 0 when everything holds, 1 when \
      something doesn't, 2 when the files aren't what they should be.
      """)

  @Argument(help: ArgumentHelp("The answer or the receipt, as JSON.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("The bank's public key, as kauri dev writes it to checkpoint.pub.", valueName: "file"))
  var key: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    let answer = try ReceiptAnswer(Self.contents(of: file), file)
    guard let text = Files.read(key), let key = CheckpointPublicKey(line: text) else {
      throw ValidationError("\(key) doesn't hold a public key: one line, ed25519 and its base64.")
    }
    let proved: Receipt.Proved
    do throws(ReceiptFault) {
      proved = try answer.receipt.verify(key)
    } catch {
      try report(failure: error.description)
    }
    if let difference = answer.difference(from: proved.rows) { try report(failure: difference) }
    report(proved)
  }

  private static func contents(of file: String) throws -> [UInt8] {
    guard let text = Files.read(file) else { throw ValidationError("\(file) can't be read.") }
    return Array(text.utf8)
  }

  private func report(_ proved: Receipt.Proved) {
    let positions = proved.rows.map { String($0.position) }.joined(separator: ", ")
    guard json else {
      return Terminal.answer(
        """
        the receipt holds: command \(proved.rows.first?.commandID.description ?? ""), position \(positions), is in \
        the log of \(proved.checkpoint.size) events that \(proved.checkpoint.origin) signed
        """)
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("valid", true)
    writer.field("origin", proved.checkpoint.origin)
    writer.field("tree_size", integer: proved.checkpoint.size)
    writer.field("root", proved.checkpoint.root.base64)
    writer.field("command_id", proved.rows.first?.commandID)
    writer.key("events")
    writer.beginArray()
    for row in proved.rows {
      writer.beginObject()
      writer.field("position", integer: row.position)
      writer.field("stream", "\(row.streamKind)/\(row.streamID)")
      writer.field("type", row.type)
      writer.field("actor", row.actor)
      writer.field("recorded_at", Moment(microseconds: row.moment))
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
  }

  private func report(failure: String) throws -> Never {
    if json {
      var writer = JSONWriter()
      writer.beginObject()
      writer.field("valid", false)
      writer.field("fault", failure)
      writer.endObject()
      Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
    } else {
      Terminal.say("the receipt doesn't hold: \(failure)")
    }
    throw ExitCode(1)
  }
}

/// A receipt, and what the answer around it claims of the same events.
private struct ReceiptAnswer {
  private struct Claim {
    let position: Int64
    let stream: String
    let type: String
  }

  let receipt: Receipt
  private var commandID: Identifier?
  private var claims: [Claim]?

  /// - Throws: `ValidationError` when it is neither an answer with a receipt nor a receipt.
  init(_ bytes: [UInt8], _ file: String) throws {
    let limits = JSONLimits(elementsPerArray: .max, stringLength: .max)
    do throws(JSONFault) {
      let root = try JSONDocument(bytes, limits: limits).root
      var object = try root.object()
      guard let inner = try object.optional("receipt") else {
        receipt = try Receipt(root)
        return
      }
      receipt = try Receipt(inner)
      commandID = try object.required("command_id").identifier()
      var claims: [Claim] = []
      for event in try object.required("events").array() {
        var event = try event.object()
        claims.append(
          Claim(
            position: try event.required("position").int64(), stream: try event.required("stream").string(),
            type: try event.required("type").string()))
      }
      self.claims = claims
    } catch {
      throw ValidationError("\(file) holds no receipt: \(error.pointer) \(error.reason).")
    }
  }

  /// Where the answer says something else than the rows that were proved; nil where it doesn't.
  func difference(from rows: [LogRow]) -> String? {
    if let commandID, let row = rows.first(where: { $0.commandID != commandID }) {
      return "the answer is of command \(commandID), the receipt of \(row.commandID)"
    }
    guard let claims else { return nil }
    guard claims.count == rows.count else {
      return "the answer names \(claims.count) events, the receipt proves \(rows.count)"
    }
    for (claim, row) in zip(claims, rows)
    where claim.position != row.position || claim.stream != "\(row.streamKind)/\(row.streamID)"
      || claim.type != row.type
    {
      return "the answer's event \(claim.position) isn't the one that the receipt proves"
    }
    return nil
  }
}
