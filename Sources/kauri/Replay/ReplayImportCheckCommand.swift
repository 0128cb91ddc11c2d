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
      Every row is hashed and folded to the root that the checkpoint signs; nothing else in the file is believed. Exit \
      status 1 when anything isn't what was signed.
      """)

  @Argument(help: ArgumentHelp("The segment.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("The checkpoint, a signed note.", valueName: "file"))
  var checkpoint: String

  @Option(help: ArgumentHelp("The bank's public key, to check the checkpoint's signature.", valueName: "file"))
  var key: String?

  @Flag(help: "The result as JSON.")
  var json = false

  func run() async throws {
    let given = try GivenCheckpoint(
      note: ReplayFile.text(checkpoint), name: checkpoint, key: try key.map(ReplayFile.publicKey))
    let segment = try Segment(path: file)
    let progress = ProgressBar(unit: "events")
    var check = SegmentCheck(segment, size: UInt64(given.checkpoint.size), root: given.checkpoint.root)
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
    if key == nil { Terminal.answer("not checked: the checkpoint's signature: no key was given") }
    Terminal.answer(report.isSound ? "the segment is what was signed" : "the segment isn't proved")
  }
}

/// Files that audits bring along.
enum ReplayFile {
  /// - Throws: why it can't be read.
  static func text(_ path: String) throws -> String {
    guard let text = Files.read(path) else { throw ArchiveFault(path: path, reason: "it can't be read") }
    return text
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
    json.endObject()
  }
}
