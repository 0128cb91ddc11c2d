import Ledger
import Synchronization
import kauri

/// A book that decides each command once, and a way to it on which everything goes wrong that can.
///
/// Batches are decided in an order of its own choosing, whatever the order they came in; within a batch, in the
/// batch's order.
final class UnreliableEndpoint: CommandEndpoint {
  private struct State {
    var chance: SubmitChance
    /// Every decided command, and its place among them.
    var decided: [Identifier: Int] = [:]
    var requests = 0
    var inFlight = 0
    var inFlightMaximum = 0
  }

  struct Broken: Error {}

  private let state: Mutex<State>
  private let linesMaximum: Int
  private let isReliable: Bool
  /// Called with the number of each request before anything else.
  private let arrival: @Sendable (Int) -> Void

  init(
    chance: SubmitChance, linesMaximum: Int = 12, isReliable: Bool = false,
    arrival: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    state = Mutex(State(chance: chance))
    self.linesMaximum = linesMaximum
    self.isReliable = isReliable
    self.arrival = arrival
  }

  var decided: [Identifier: Int] { state.withLock { $0.decided } }
  var inFlightMaximum: Int { state.withLock { $0.inFlightMaximum } }
  var requests: Int { state.withLock { $0.requests } }

  func hasOutcome(of command: Identifier) async throws -> Bool {
    state.withLock { $0.decided[command] != nil }
  }

  func send(_ lines: [UInt8]) async throws -> BatchReply {
    let number = state.withLock { state in
      state.requests += 1
      state.inFlight += 1
      state.inFlightMaximum = max(state.inFlightMaximum, state.inFlight)
      return state.requests
    }
    defer { state.withLock { $0.inFlight -= 1 } }
    arrival(number)
    await linger()
    if strikes(20) { throw Broken() }
    if strikes(20) { return .refused(status: 503, problem: [], retryAfter: .milliseconds(1)) }
    if strikes(30) { return .refused(status: 429, problem: [], retryAfter: nil) }
    let texts = lines.split(separator: UInt8(ascii: "\n"))
    guard texts.count <= linesMaximum else { return .refused(status: 413, problem: [], retryAfter: nil) }
    // At times the book stops in the middle of a batch, and says so for the rest of it.
    let stop = strikes(10) ? state.withLock { $0.chance.index(below: texts.count) } : texts.count
    var answer: [UInt8] = []
    for (place, text) in texts.enumerated() {
      answer += (place < stop ? decide(Array(text)) : #"{"status":503,"code":"database_unavailable"}"#).utf8
      answer.append(UInt8(ascii: "\n"))
      if !isReliable { await Task.yield() }
    }
    await linger()
    if strikes(15) { throw Broken() }
    return .outcomes(answer)
  }

  private func decide(_ text: [UInt8]) -> String {
    guard let document = try? JSONDocument(text), var fields = try? document.root.object(),
      let id = try? fields.required("id").identifier()
    else { return #"{"status":400,"code":"invalid_request"}"# }
    let place = state.withLock { state in
      if state.decided[id] == nil { state.decided[id] = state.decided.count + 1 }
      return state.decided[id] ?? 0
    }
    // A third of all is declined, always the same ones.
    if id.low % 3 == 0 {
      return #"{"status":422,"outcome":"declined","code":"insufficient_funds","position":\#(place)}"#
    }
    return #"{"status":201,"outcome":"accepted","position":\#(place)}"#
  }

  private func strikes(_ often: Int) -> Bool {
    !isReliable && state.withLock { $0.chance.oneIn(often) }
  }

  /// Lets others pass for a random while.
  private func linger() async {
    for _ in 0..<state.withLock({ $0.chance.index(below: 40) }) { await Task.yield() }
  }
}
