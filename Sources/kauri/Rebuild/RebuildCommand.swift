import ArgumentParser
import EventStore
import Postgres
import Projections

/// `kauri rebuild`: read models made anew from the log, on a bank that stays open.
struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Make read models anew from the log, compare them with the live ones, and switch to them.",
    discussion: """
      Works as the role that owns the schema, beside servers that go on serving. A rebuild that is killed leaves the \
      live tables as they are, and the next one by the same build resumes it; one that is cancelled (Ctrl-C, SIGTERM) \
      leaves nothing behind. What was found different is never resumed. The old tables, a copy from before the switch, \
      stay until --drop-old. It lowers its own priority (nice 10), so that a server on the same \
      machine goes first.

      Exit status: 0 when every model was switched, 1 when the old and the new differ (and then nothing is switched, \
      unless --accept) or something failed, 2 on wrong use.

      Models: \(ReadModel.all.map(\.name).joined(separator: ", ")).
      """)

  @Argument(help: ArgumentHelp("Which read models.", valueName: "model"))
  var models: [String] = []

  @Flag(help: "Every read model, one after the other.")
  var all = false

  @OptionGroup var place: BookDatabaseOptions

  @Flag(help: "Switch although the old and the new differ.")
  var accept = false

  @Flag(help: "Rebuild nothing: drop the tables of generations that aren't live.")
  var dropOld = false

  @Option(help: "Differences that are shown, at most; all are counted.")
  var differences = 100

  @Flag(help: "Print progress and results as JSON, a line each.")
  var json = false

  func validate() throws {
    guard models.isEmpty == all else { throw ValidationError("Give the models to rebuild, or --all.") }
    for name in models where ReadModel.named(name) == nil {
      throw ValidationError(
        "There is no read model \"\(name)\": \(ReadModel.all.map(\.name).joined(separator: ", ")).")
    }
    guard !(accept && dropOld) else { throw ValidationError("--drop-old rebuilds nothing that could be accepted.") }
    guard (1...100_000).contains(differences) else { throw ValidationError("--differences takes 1 to 100000.") }
  }

  func run() async throws {
    // Where it shares a machine with a server, the customers go first.
    ProcessUsage.lowerPriority()
    let rebuilding = Rebuilding(
      models: all ? ReadModel.all : models.compactMap(ReadModel.named),
      database: ConnectionConfiguration(conninfo: try place.ownerConninfo()),
      options: RebuildOptions(
        accepts: accept, shownMaximum: differences, build: dropOld ? nil : BuildDigest.ofThisProcess()),
      dropsOld: dropOld, json: json)
    try await runUntilSignal { try await rebuilding.run() }
  }
}

/// What the command does, model after model.
private struct Rebuilding: Sendable {
  let models: [ReadModel]
  let database: ConnectionConfiguration
  let options: RebuildOptions
  let dropsOld: Bool
  let json: Bool

  /// - Returns: whether a model wasn't switched to because it differs.
  func run() async throws -> Bool {
    // Personal text goes into the tables as it stands in the log, sealed: no key is needed.
    let codec = EventCodec(keyring: .openingNothing)
    var isDifferent = false
    for model in models {
      let output = RebuildOutput(json: json)
      defer { output.finish() }
      let rebuild = Rebuild(model, database: database, codec: codec, options: options) { output.show($0) }
      if dropsOld {
        output.answer(dropped: try await rebuild.dropOld(), of: model.name)
      } else {
        let report = try await rebuild.run()
        output.answer(report)
        isDifferent = isDifferent || !report.switched
      }
    }
    return isDifferent
  }
}
