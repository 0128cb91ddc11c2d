import ArgumentParser
import Ledger
import LocalStack
import Synchronization
import UnixSignals

/// `kauri submit`: commands in bulk.
struct SubmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit",
    abstract: "Send the commands of a file, one a line, and say how they came out.",
    discussion: """
      A line is {"command": NAME, "id": UUID, "data": {…}}. Commands that concern the same account or customer are \
      decided in the order of the file; all others go side by side. A run that is broken off, however, goes on where \
      it stopped when it is started again: what was sent twice is done once, by its id.

      Exit status: 0 when every command was accepted or declined, 1 when some were refused as faulty or the server \
      was not to be reached, 2 on wrong use, 130 when it was broken off by Ctrl-C (143 by SIGTERM).
      """)

  @Argument(help: ArgumentHelp("The commands, as NDJSON.", valueName: "file"))
  var file: String

  @OptionGroup var server: ServerOptions

  @Option(
    help: ArgumentHelp(
      "Where to note how far it is. Removed at the end. (default: the input's name with .submitted after it)",
      valueName: "file"))
  var state: String?

  @Option(help: ArgumentHelp("Write each command that was declined or refused, with its answer.", valueName: "file"))
  var rejects: String?

  @Option(help: "Batches in flight at most.")
  var connections = 8

  @Option(help: "Commands in a batch at most.")
  var batch = 2_000

  @Option(help: ArgumentHelp("How long to go on without any answer.", valueName: "seconds"))
  var patience = 300

  @Flag(help: "Print the summary as JSON.")
  var json = false

  func validate() throws {
    guard (1...64).contains(connections) else { throw ValidationError("--connections takes 1 to 64.") }
    guard (1...8_192).contains(batch) else { throw ValidationError("--batch takes 1 to 8192.") }
    guard patience >= 0 else { throw ValidationError("--patience takes a number of seconds, 0 or more.") }
  }

  func run() async throws {
    let endpoint = try HTTPCommandEndpoint(try server.address(as: "operator"), connections: connections)
    let started = ContinuousClock.now
    let result = await stoppable { answered in try await submit(to: endpoint, answered) }
    await endpoint.close()
    let report = try result.get()
    let summary = SubmissionSummary(
      file: file, tally: report.tally, resumedAfter: report.resumedAfter,
      seconds: (ContinuousClock.now - started) / .seconds(1))
    Terminal.answer(json ? summary.json : summary.text)
    if report.tally.refusedCount > 0 { throw ExitCode(1) }
  }

  /// Runs `body` so that a signal lets it keep what it knows, and says how to go on.
  ///
  /// - Parameter body: is given whom to tell how many commands are answered.
  private func stoppable<Value: Sendable>(
    _ body: @escaping @Sendable (@escaping @Sendable (Int) -> Void) async throws -> Value
  ) async -> Result<Value, any Error> {
    let answered = Mutex(0)
    let stop = Mutex<UnixSignal?>(nil)
    // Before the work begins: from its first file on, there is something to say.
    let signals = await UnixSignalsSequence(trapping: StopSignals.heeded([.sigint, .sigterm]))
    let work = Task { try await body { count in answered.withLock { $0 = count } } }
    let watch = Task {
      for await signal in signals {
        stop.withLock { $0 = $0 ?? signal }
        work.cancel()
      }
    }
    let result = await work.result
    watch.cancel()
    guard case .failure(let error) = result, let signal = stop.withLock({ $0 }), !(error is ValidationError) else {
      return result
    }
    let count = answered.withLock { $0 }
    Terminal.say(
      "kauri: broken off\(count > 0 ? " after \(count.grouped) answered commands" : ""); "
        + "run the same command again to go on from here")
    return .failure(ExitCode(128 + signal.rawValue))
  }

  private func submit(
    to endpoint: HTTPCommandEndpoint, _ answered: @escaping @Sendable (Int) -> Void
  ) async throws -> Submission<HTTPCommandEndpoint>.Report {
    var options = Submission<HTTPCommandEndpoint>.Options()
    options.connections = connections
    options.batch.linesMaximum = batch
    options.batch.linesMinimum = batch / 4
    options.patience.total = .seconds(patience)
    let bar = ProgressBar(unit: "commands")
    defer { bar.finish() }
    let submission: Submission<HTTPCommandEndpoint>
    do {
      submission = try await Submission(
        of: file, to: endpoint, statePath: state ?? "\(file).submitted", rejectsPath: rejects, options: options,
        notice: { bar.note($0) },
        observe: { progress in
          answered(progress.answeredLines)
          bar.update(
            fraction: Double(progress.answeredBytes) / Double(max(1, progress.totalBytes)),
            count: progress.answeredLines)
        })
    } catch let fault as InputFault {
      // Nothing has been sent: a file was named that can't be what it was named as.
      throw ValidationError("\(fault).")
    }
    return try await submission.run()
  }
}

/// What a submission came to, for people and for machines.
struct SubmissionSummary {
  let file: String
  let tally: SubmissionTally
  /// How many commands an earlier run had sent.
  let resumedAfter: Int
  let seconds: Double

  /// Commands answered in this run, a second.
  private var rate: Int { Int(Double(tally.count - resumedAfter) / max(seconds, 0.001)) }

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("file", file)
    writer.field("commands", integer: tally.count)
    tally.write(to: &writer)
    writer.field("resumed_after", integer: resumedAfter)
    writer.field("milliseconds", integer: Int(seconds * 1_000))
    writer.field("commands_per_second", integer: rate)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  var text: String {
    var lines = [
      "\(tally.count.grouped) commands in \(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s, \(rate.grouped)/s"
    ]
    if resumedAfter > 0 { lines.append("  \(resumedAfter.grouped) of them by an earlier run") }
    lines.append("  accepted  \(tally.accepted.grouped)")
    for (word, counts) in [("declined", tally.declined), ("refused ", tally.refused)] {
      for (code, count) in counts.sorted(by: { $0.value > $1.value }) {
        lines.append("  \(word)  \(count.grouped)  \(code)")
      }
    }
    return lines.joined(separator: "\n")
  }
}
