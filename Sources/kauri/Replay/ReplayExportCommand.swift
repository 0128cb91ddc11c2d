import ArgumentParser
import EventStore
import Ledger
import LocalStack
import Postgres

/// `kauri replay export`: a range of the log as files that prove themselves.
struct ReplayExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a range of the log to LZ4 segments, each provable by itself against a signed checkpoint.",
    discussion: """
      Segments are cut at multiples of 1,000,000 positions. The same range gives the same files; one that is there \
      already is compared and left. docs/archive-format.md has the format.
      """)

  @OptionGroup var book: BookOption

  @Option(help: "The first position.")
  var from: Int64

  @Option(help: "The last position.")
  var to: Int64

  @Option(
    help: ArgumentHelp(
      "The checkpoint to prove against; by default the first one that was signed at a segment's end or beyond.",
      valueName: "file"))
  var checkpoint: String?

  @Argument(help: ArgumentHelp("The folder, which is made if it isn't there.", valueName: "dir"))
  var folder: String

  @Flag(help: "The result as JSON.")
  var json = false

  func validate() throws {
    guard from > 0, to >= from else { throw ValidationError("--from and --to take positions, the first from 1 on.") }
  }

  func run() async throws {
    let given = try checkpoint.map { try ExportCheckpoint(note: ReplayFile.text($0)) }
    try Files.makeDirectory(folder, mode: 0o755)
    let pool = Pool(try book.connection("kauri replay"), maximumSize: 2)
    let progress = ProgressBar(unit: "events")
    let written: [SegmentExport.Written]
    do {
      let total = Double(to - from + 1)
      written = try await SegmentExport(pool: pool, folder: folder).run(from...to) { last in
        if let given { return given }
        return try await pool.run { try SegmentExport.firstCheckpoint(covering: last, $0) }
      } progress: { done in
        progress.update(fraction: Double(done) / total, count: Int(done))
      }
    } catch {
      progress.finish()
      await pool.shutdown()
      throw error
    }
    progress.finish()
    await pool.shutdown()
    for segment in written { Terminal.answer(json ? segment.json : segment.line) }
  }
}

extension SegmentExport.Written {
  fileprivate var line: String {
    "\(path): events \(positions.lowerBound.grouped) to \(positions.upperBound.grouped), proved against the checkpoint of "
      + "\(checkpointSize.grouped) events" + (wasThere ? "; it was there already, and is the same" : "")
  }

  fileprivate var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.field("file", path)
    json.field("first", integer: positions.lowerBound)
    json.field("last", integer: positions.upperBound)
    json.field("checkpoint_size", integer: Int64(checkpointSize))
    json.field("was_there", wasThere)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
