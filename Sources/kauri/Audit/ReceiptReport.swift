import EventStore
import Ledger
import Server

/// What came of checking a receipt.
struct ReceiptReport {
  var proved: Receipt.Proved?
  /// Why the receipt, or what stands around it, proves nothing.
  var fault: String?
  private var differences: [AnswerComparison.Difference] = []
  private var omissions: [AnswerComparison.Omission] = []

  var isValid: Bool { fault == nil && differences.isEmpty }

  /// Compares what an answer says with the rows.
  ///
  /// - Parameter answer: nil where there is none, which the report then says.
  mutating func compare(_ answer: JSONValue?, with rows: [LogRow]) async {
    guard let answer else {
      omissions.append(.init(pointer: "", reason: "the file holds no answer beside the receipt"))
      return
    }
    do {
      let comparison = try AnswerComparison(of: answer, with: await ProvedAnswer(rows))
      differences = comparison.differences
      omissions = comparison.omissions
    } catch {
      fault = "the receipt's rows are in the log, but the answer can't be compared with them: \(error)"
    }
  }

  func print(asJSON json: Bool) {
    if json { return Terminal.answer(String(decoding: bytes, as: UTF8.self)) }
    for difference in differences {
      Terminal.answer(
        "\(difference.pointer): expected \(difference.expected), found \(difference.found)")
    }
    for omission in omissions { Terminal.answer("not compared: \(omission.words)") }
    if let fault { return Terminal.say("the receipt doesn't hold: \(fault)") }
    guard differences.isEmpty else {
      return Terminal.say("the receipt doesn't hold: the answer isn't what the receipt proves")
    }
    guard let proved else { return }
    let positions = proved.rows.map { String($0.position) }.joined(separator: ", ")
    Terminal.answer(
      """
      the receipt holds: command \(proved.rows.first?.commandID.description ?? ""), position \(positions), is in \
      the log of \(proved.checkpoint.size) events that \(proved.checkpoint.origin) signed
      """)
    for row in proved.rows {
      Terminal.answer(
        "event \(row.position): \(row.type), recorded \(Moment(microseconds: row.moment)) by \(row.actor)")
    }
  }

  private var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("valid", isValid)
    writer.field("fault", fault ?? (isValid ? nil : "the answer isn't what the receipt proves"))
    if let proved, fault == nil { write(proved, to: &writer) }
    if !differences.isEmpty {
      writer.key("differences")
      writer.beginArray()
      for difference in differences {
        writer.beginObject()
        writer.field("pointer", difference.pointer)
        writer.field("expected", difference.expected)
        writer.field("found", difference.found)
        writer.endObject()
      }
      writer.endArray()
    }
    writer.key("not_compared")
    writer.beginArray()
    for omission in omissions {
      writer.beginObject()
      writer.field("pointer", omission.pointer)
      writer.field("reason", omission.reason)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func write(_ proved: Receipt.Proved, to writer: inout JSONWriter) {
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
  }
}

extension AnswerComparison.Omission {
  fileprivate var words: String { pointer.isEmpty ? reason : "\(pointer) (\(reason))" }
}
