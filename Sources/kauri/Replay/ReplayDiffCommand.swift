import ArgumentParser
import EventStore
import Ledger
import Postgres
import Projections

/// `kauri replay diff`: read models against a fold of the log.
struct ReplayDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare read models with a fold of the log, row by row and column by column.",
    discussion: """
      Folds the log into tables of its own beside the live ones, compares, and takes them away again: what kauri \
      rebuild does, but for the switch. What an interrupted rebuild left stays as it is. Works as the role that owns \
      the schema, on a bank that stays open. Exit status 1 when anything differs.

      Models: \(ReadModel.all.map(\.name).joined(separator: ", ")).
      """)

  @Argument(help: ArgumentHelp("Which read models; all when none is named.", valueName: "model"))
  var models: [String] = []

  @OptionGroup var database: BookDatabaseOptions

  @Option(help: "Differences that are named for a model, at most; all are counted.")
  var named = 100

  @Flag(help: "Print the results as JSON, a line a model.")
  var json = false

  func validate() throws {
    for name in models where ReadModel.named(name) == nil {
      throw ValidationError(
        "There is no read model \"\(name)\": \(ReadModel.all.map(\.name).joined(separator: ", ")).")
    }
    guard (1...100_000).contains(named) else { throw ValidationError("--named takes 1 to 100000.") }
  }

  func run() async throws {
    let chosen = models.isEmpty ? ReadModel.all : models.compactMap(ReadModel.named)
    let configuration = ConnectionConfiguration(conninfo: try database.ownerConninfo())
    try await runUntilSignal { try await compare(chosen, configuration) }
  }

  /// - Returns: whether anything differs.
  private func compare(_ models: [ReadModel], _ configuration: ConnectionConfiguration) async throws -> Bool {
    // Personal text is compared as it stands in the log, sealed: no key is needed.
    let codec = EventCodec(keyring: .openingNothing)
    var isDifferent = false
    for model in models {
      let progress = ProgressBar(unit: "events")
      defer { progress.finish() }
      let rebuild = Rebuild(
        model, database: configuration, codec: codec, options: RebuildOptions(shownMaximum: named)
      ) { step in
        progress.update(
          fraction: step.target > 0 ? Double(step.position) / Double(step.target) : 0, count: Int(step.position))
      }
      let report = try await rebuild.compare()
      progress.finish()
      Terminal.answer(json ? report.comparisonJSON : report.comparisonText)
      isDifferent = isDifferent || !report.differences.isEmpty
    }
    return isDifferent
  }
}

extension RebuildReport {
  fileprivate var comparisonText: String {
    let outcome = differences.isEmpty ? "is what the log gives" : "isn't what the log gives"
    let lines = DifferenceWriter.comparison.lines(differences) + DifferenceWriter.comparison.totals(differences)
    return (lines + ["\(model) \(outcome), up to event \(position.grouped)"]).joined(separator: "\n")
  }

  fileprivate var comparisonJSON: String {
    var json = JSONWriter()
    json.beginObject()
    json.field("model", model)
    json.field("same", differences.isEmpty)
    json.field("position", integer: position)
    DifferenceWriter.comparison.write(differences, to: &json)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension DifferenceWriter {
  fileprivate static let comparison = DifferenceWriter { difference in
    [("expected", difference.expected), ("found", difference.found)]
  } words: { difference in
    "expected \(difference.expected), found \(difference.found)"
  }
}

/// The live row is what was found, the fold's is what was expected.
extension RowDifference {
  fileprivate var expected: String {
    switch kind {
    case .onlyOld: "no row"
    case .onlyNew: "a row"
    case .changed: new ?? "null"
    }
  }

  fileprivate var found: String {
    switch kind {
    case .onlyOld: "a row"
    case .onlyNew: "no row"
    case .changed: old ?? "null"
    }
  }
}
