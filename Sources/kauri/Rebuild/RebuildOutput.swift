import Ledger
import Projections
import Synchronization

/// What a rebuild shows: a bar and a summary for people, lines of JSON for machines.
final class RebuildOutput: Sendable {
  private struct State {
    var phase: RebuildProgress.Phase?
    /// When the phase began, and where.
    var began = ContinuousClock.now
    var first: Int64 = 0
    var lastLine: ContinuousClock.Instant?
  }

  private let json: Bool
  private let bar = ProgressBar(unit: "events")
  private let state = Mutex(State())

  init(json: Bool) { self.json = json }

  func show(_ progress: RebuildProgress) {
    let line = state.withLock { state -> String? in
      let now = ContinuousClock.now
      let isNew = state.phase != progress.phase
      if isNew { (state.phase, state.began, state.first) = (progress.phase, now, progress.position) }
      guard json else { return nil }
      // Every phase is said, and within one what a reader can follow.
      if !isNew, let last = state.lastLine, now - last < .milliseconds(200) { return nil }
      state.lastLine = now
      return RebuildOutput.line(progress, since: now - state.began, from: state.first)
    }
    if let line { Terminal.answer(line) }
    switch progress.phase {
    case .filling, .catchingUp:
      bar.update(
        fraction: progress.target > 0 ? Double(progress.position) / Double(progress.target) : 1,
        count: Int(progress.position))
    case .making, .comparing, .switching, .switched, .dropping: bar.note("\(progress.model): \(progress.phase.words)")
    }
  }

  func finish() { bar.finish() }

  private static func line(_ progress: RebuildProgress, since elapsed: Duration, from first: Int64) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.field("model", progress.model)
    json.field("phase", progress.phase)
    if progress.generation > 0 { json.field("generation", integer: progress.generation) }
    json.field("position", integer: progress.position)
    json.field("target", integer: progress.target)
    let seconds = elapsed / .seconds(1)
    if progress.position > first, seconds > 0 {
      let rate = Double(progress.position - first) / seconds
      json.field("events_per_second", integer: Int(rate))
      json.field("seconds_left", integer: Int((Double(progress.target - progress.position) / rate).rounded(.up)))
    }
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  // MARK: Results

  func answer(_ report: RebuildReport) {
    bar.finish()
    Terminal.answer(json ? RebuildSummary(report: report).json : RebuildSummary(report: report).text)
  }

  func answer(dropped generations: [Int], of model: String) {
    bar.finish()
    guard json else {
      let list = generations.map(String.init).joined(separator: ", ")
      return Terminal.answer(
        "\(model): " + (generations.isEmpty ? "nothing but the live generation" : "dropped generation \(list)"))
    }
    var json = JSONWriter()
    json.beginObject()
    json.field("model", model)
    json.key("dropped")
    json.beginArray()
    for generation in generations { json.integer(generation) }
    json.endArray()
    json.endObject()
    Terminal.answer(String(decoding: json.bytes, as: UTF8.self))
  }
}

extension RebuildProgress.Phase {
  fileprivate var words: String { rawValue.replacing("_", with: " ") }
}
