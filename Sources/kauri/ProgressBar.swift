import Glibc
import Synchronization

/// A line on a terminal that says how far a long run is, how fast it goes and how long it will take. Silent in a pipe.
final class ProgressBar: Sendable {
  private struct State {
    var fraction = 0.0
    var count = 0
    /// When and where the rate that is shown was last measured.
    var markTime: ContinuousClock.Instant
    var markFraction = 0.0
    var markCount = 0
    var countRate = 0.0
    var fractionRate = 0.0
    var note = ""
    var lastDrawn: ContinuousClock.Instant?
  }

  private let unit: String
  private let isShown: Bool
  private let state = Mutex(State(markTime: .now))

  /// - Parameters:
  ///   - unit: what is counted, in the plural.
  ///   - isShown: by default, whether standard error is a terminal.
  init(unit: String, isShown: Bool = isatty(STDERR_FILENO) == 1) {
    self.unit = unit
    self.isShown = isShown
  }

  /// - Parameters:
  ///   - fraction: of the whole, 0 to 1.
  ///   - count: how many are done.
  func update(fraction: Double, count: Int) {
    guard isShown else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      state.fraction = min(1, max(0, fraction))
      state.count = count
      state.note = ""
      let elapsed = (now - state.markTime) / .seconds(1)
      if elapsed >= 1 {
        // Half old, half new: steady enough to read, quick enough to be true.
        let (counted, moved) = (Double(count - state.markCount) / elapsed, (fraction - state.markFraction) / elapsed)
        state.countRate = state.countRate == 0 ? counted : (state.countRate + counted) / 2
        state.fractionRate = state.fractionRate == 0 ? moved : (state.fractionRate + moved) / 2
        (state.markTime, state.markCount, state.markFraction) = (now, count, fraction)
      }
      if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
      state.lastDrawn = now
      draw(state)
    }
  }

  /// Shows why nothing moves, until something does.
  func note(_ text: String) {
    guard isShown else { return }
    state.withLock { state in
      state.note = text
      draw(state)
    }
  }

  /// Takes the line away.
  func finish() {
    guard isShown else { return }
    state.withLock { _ in put("\r\u{1B}[K") }
  }

  private func draw(_ state: State) {
    let width = 24
    let filled = Int(state.fraction * Double(width))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    var line = "\(bar) \(Int(state.fraction * 100)) %  \(state.count.grouped) \(unit)"
    if !state.note.isEmpty {
      line += "  \(state.note)"
    } else if state.countRate > 0 {
      line += "  \(Int(state.countRate).grouped)/s"
      if state.fractionRate > 0 { line += "  \(ProgressBar.text(of: (1 - state.fraction) / state.fractionRate)) left" }
    }
    put("\r\(line.prefix(columns))\u{1B}[K")
  }

  private var columns: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) - 1 : 79
  }

  private func put(_ text: String) {
    var text = text
    // A terminal that takes no more of it loses a picture of the progress and nothing else.
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  private static func text(of seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999).rounded(.up))
    let padded: (Int) -> String = { $0 < 10 ? "0\($0)" : "\($0)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3_600 { return "\(whole / 60):\(padded(whole % 60)) min" }
    return "\(whole / 3_600):\(padded(whole / 60 % 60)) h"
  }
}

extension BinaryInteger {
  /// Decimal digits in groups of three: `1,234,567`.
  var grouped: String {
    let digits = String(magnitude)
    var text = self < 0 ? "-" : ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}
