import ArgumentParser
import EventStore
import Ledger
import LocalStack

/// `kauri replay import-check`: a segment, held against a checkpoint, with nothing else at hand.
struct ReplayImportCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-check",
    abstract: "Check a segment of the archive against a signed checkpoint. Needs no database.",
    discussion: """
      Every row is hashed and folded to the root that the checkpoint signs; nothing else in the file is believed. The \
      file's proof leads to the checkpoint that it was exported with; for another one give --consistency too. Exit \
      status 1 when the checkpoint that was given doesn't prove every row.
      """)

  @Argument(help: ArgumentHelp("The segment.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("The checkpoint, a signed note.", valueName: "file"))
  var checkpoint: String

  @Option(help: ArgumentHelp("The bank's public key, to check the checkpoint's signature.", valueName: "file"))
  var key: String?

  @Option(
    help: ArgumentHelp(
      "The answer of GET /v1/audit/consistency between the file's own checkpoint and the one given.",
      valueName: "file"))
  var consistency: String?

  @Flag(help: "The result as JSON.")
  var json = false

  func run() async throws {
    let publicKey = try key.map(ReplayFile.publicKey)
    let given = try GivenCheckpoint(note: ReplayFile.text(checkpoint), name: checkpoint, key: publicKey)
    let segment = try Segment(path: file)
    let progress = ProgressBar(unit: "events")
    var check = SegmentCheck(
      segment, against: given.checkpoint, key: publicKey, consistency: try consistency.map(ReplayFile.consistency))
    let count = segment.index.count
    var report = try check.run { progress.update(fraction: Double($0) / Double(count), count: $0) }
    progress.finish()
    if let fault = given.signatureFault { report.faults.append("\(checkpoint): \(fault)") }
    answer(report)
    if !report.isSound { throw ExitCode(1) }
  }

  private func answer(_ report: SegmentReport) {
    if json {
      var json = JSONWriter()
      report.write(to: &json, signatureChecked: key != nil)
      return Terminal.answer(String(decoding: json.bytes, as: UTF8.self))
    }
    for fault in report.faults { Terminal.answer(fault) }
    let (first, last) = (report.positions.lowerBound, report.positions.upperBound)
    Terminal.answer(
      "events \(first.grouped) to \(last.grouped): \(report.proven.grouped) proved by the checkpoint of "
        + "\(report.checkpointSize.grouped) events")
    if let own = report.own {
      let signature = own.isSignatureChecked ? "its signature is the key's" : "its signature wasn't looked at"
      Terminal.answer(
        "all of them are proved by the file's own checkpoint of \(own.size.grouped) events (\(signature)); that it and "
          + "the checkpoint of \(own.givenSize.grouped) events are of one log is not shown: ask the bank for "
          + "\(own.request) and give the answer with --consistency")
    }
    if key == nil { Terminal.answer("not checked: the checkpoint's signature: no key was given") }
    Terminal.answer(report.isSound ? "the segment is what was signed" : unproved(report))
  }
}

extension ReplayImportCheckCommand {
  private func unproved(_ report: SegmentReport) -> String {
    report.own == nil || !report.faults.isEmpty
      ? "the segment isn't proved" : "the segment isn't proved by the checkpoint that was given"
  }
}

/// Files that audits bring along.
enum ReplayFile {
  /// - Throws: why it can't be read.
  static func text(_ path: String) throws -> String {
    guard let text = Files.read(path) else { throw ArchiveFault(path: path, reason: "it can't be read") }
    return text
  }

  /// What `GET /v1/audit/consistency` answered.
  static func consistency(_ path: String) throws -> ConsistencyProof {
    let answer = Array(try text(path).utf8)
    do throws(JSONFault) {
      return try ConsistencyProof(JSONDocument(answer).root)
    } catch {
      throw ArchiveFault(path: path, reason: "it isn't a consistency proof: \(error.pointer) \(error.reason)")
    }
  }

  /// A public key's file, `ed25519 BASE64`.
  static func publicKey(_ path: String) throws -> CheckpointPublicKey {
    guard let key = CheckpointPublicKey(line: try text(path)) else {
      throw ArchiveFault(path: path, reason: "it isn't a public key: ed25519 and base64 of 32 bytes")
    }
    return key
  }
}

extension SegmentReport {
  fileprivate func write(to json: inout JSONWriter, signatureChecked: Bool) {
    json.beginObject()
    json.field("sound", isSound)
    json.field("first", integer: positions.lowerBound)
    json.field("last", integer: positions.upperBound)
    json.field("proven", integer: Int64(proven))
    json.field("checkpoint_size", integer: Int64(checkpointSize))
    json.field("signature_checked", signatureChecked)
    json.key("faults")
    json.beginArray()
    for fault in faults { json.string(fault) }
    json.endArray()
    if let own {
      json.key("own_checkpoint")
      json.beginObject()
      json.field("size", integer: Int64(own.size))
      json.field("proven", integer: Int64(positions.count))
      json.field("signature_checked", own.isSignatureChecked)
      json.field("consistency", "not shown: \(own.request)")
      json.endObject()
    }
    json.endObject()
  }
}
