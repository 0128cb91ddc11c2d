import AsyncHTTPClient
import Commands
import Ledger
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

/// Clients of the bank's servers that aren't put off: each gives a command under one id, wherever somebody listens,
/// until it is answered.
final class BankClients: Sendable {
  /// What happened to requests.
  struct Tally: Sendable {
    var statuses: [Int: Int] = [:]
    /// Why servers said that a command should be given again.
    var delays: [String: Int] = [:]
    var unanswered = 0
    var cutOff = 0
    /// Commands that were given again after no answer had come, and turned out to stand in the log already.
    var foundAgain = 0
    /// Commands that were given again after no answer had come, and were decided then.
    var decidedAgain = 0
  }

  private struct State {
    var given: [CommandID: CommandEnvelope] = [:]
    var outcomes: [CommandID: GivenOutcome] = [:]
    var faults: [String] = []
    var tally = Tally()
  }

  let servers: [BankServer]
  let teller: Mutex<Teller>
  private let http = HTTPClient.forTests()
  private let tokens: [String: String]
  private let state = Mutex(State())

  init(servers: [BankServer], tokens: [String: String], teller: Teller) {
    self.servers = servers
    self.tokens = tokens
    self.teller = Mutex(teller)
  }

  func close() async {
    // Connections that are cut off are what closing means here.
    try? await http.shutdown()
  }

  var acknowledged: Int { state.withLock { $0.outcomes.count } }
  var tally: Tally { state.withLock { $0.tally } }
  /// Every command that anybody gave.
  var commands: [CommandEnvelope] { state.withLock { Array($0.given.values) } }

  func outcome(of command: CommandID) -> GivenOutcome? { state.withLock { $0.outcomes[command] } }

  /// Every command was answered, alike whenever it was, and stands in the log as it was answered.
  func expectAnswers(in audit: LogAudit, sourceLocation: SourceLocation = #_sourceLocation) {
    var faults = state.withLock { $0.faults }
    for id in state.withLock({ Array($0.given.keys) }) {
      guard let outcome = outcome(of: id) else {
        faults.append("command \(id) was never answered")
        continue
      }
      guard let command = audit.commands[id] else {
        faults.append("command \(id) was acknowledged and isn't in the log")
        continue
      }
      if command.last != outcome.position || command.types != outcome.types {
        faults.append("command \(id) was acknowledged as \(outcome) and stands in the log as \(command)")
      }
    }
    #expect(faults.isEmpty, sourceLocation: sourceLocation)
  }

  // MARK: Requests

  func get(_ path: String, at server: BankServer, patience: TimeAmount = .seconds(10)) async -> Exchange {
    guard let address = server.address else { return .unanswered("it hasn't been started") }
    return await http.exchange(.GET, address + path, headers: [authorization(Teller.staff[0])], patience: patience)
  }

  func isReady(_ server: BankServer) async -> Bool {
    await get("/readyz", at: server).status == 200
  }

  /// Gives one command to one server, once.
  func post(
    _ command: CommandEnvelope, at server: BankServer, patience: TimeAmount = .seconds(10)
  ) async -> Exchange {
    guard let address = server.address else { return .unanswered("it hasn't been started") }
    note(command)
    var writer = RecordWriter()
    writer.json.beginObject()
    command.instruction.write(to: &writer)
    writer.json.endObject()
    return await http.exchange(
      .POST, "\(address)/v1/commands/\(command.instruction.name)",
      headers: [
        authorization(command.actor), ("Idempotency-Key", command.id.description), ("Content-Type", "application/json"),
      ], body: writer.json.bytes, patience: patience)
  }

  /// Gives several commands of one person in one request, once.
  func post(
    _ commands: [CommandEnvelope], at server: BankServer, patience: TimeAmount = .seconds(10)
  ) async -> Exchange {
    guard let address = server.address else { return .unanswered("it hasn't been started") }
    var writer = RecordWriter()
    for command in commands {
      note(command)
      writer.json.beginObject()
      writer.json.field("command", command.instruction.name)
      writer.json.field("id", command.id)
      writer.json.key("data")
      writer.json.beginObject()
      command.instruction.write(to: &writer)
      writer.json.endObject()
      writer.json.endObject()
      writer.json.endLine()
    }
    return await http.exchange(
      .POST, "\(address)/v1/commands",
      headers: [authorization(commands[0].actor), ("Content-Type", "application/x-ndjson")], body: writer.json.bytes,
      patience: patience)
  }

  private func authorization(_ actor: Actor) -> (String, String) {
    ("Authorization", "Bearer \(tokens[actor.subject] ?? "")")
  }

  private func note(_ command: CommandEnvelope) {
    state.withLock { $0.given[command.id] = command }
  }

  // MARK: Answers

  /// Takes what came back for a single command.
  ///
  /// - Returns: its outcome; nil when it is to be given again.
  @discardableResult
  func take(_ exchange: Exchange, for command: CommandEnvelope, again: Bool = false) -> GivenOutcome? {
    count(exchange)
    guard case .answered(let answer) = exchange else { return nil }
    guard answer.status != 503 && answer.status != 429 else {
      if answer.retryAfter == nil { fault("\(answer.status) without Retry-After") }
      countDelay(CommandAnswer.read(answer.body))
      return nil
    }
    guard let body = CommandAnswer.read(answer.body), let outcome = body.given, [201, 422].contains(answer.status)
    else {
      fault(
        "\(command.instruction.name) \(command.id): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
      return nil
    }
    settle(command, outcome, replayed: answer.wasReplayed, again: again)
    return outcome
  }

  /// Takes what came back for a batch.
  ///
  /// - Returns: the commands that are to be given again.
  func take(_ exchange: Exchange, for commands: [CommandEnvelope], again: Bool = false) -> [CommandEnvelope] {
    count(exchange)
    guard case .answered(let answer) = exchange else { return commands }
    guard answer.status == 200 else {
      if answer.status != 503 && answer.status != 429 || answer.retryAfter == nil {
        fault("a batch: \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
      }
      countDelay(CommandAnswer.read(answer.body))
      return commands
    }
    let lines = answer.body.split(separator: UInt8(ascii: "\n"))
    guard lines.count == commands.count else {
      fault("\(lines.count) lines for \(commands.count) commands")
      return commands
    }
    var rest: [CommandEnvelope] = []
    for (command, line) in zip(commands, lines) {
      let body = CommandAnswer.read(line)
      if let body, let outcome = body.given {
        settle(command, outcome, replayed: body.replayed == true, again: again)
      } else {
        rest.append(command)
        countDelay(body)
        if body?.status != 503 { fault("a line: \(String(decoding: line, as: UTF8.self))") }
      }
    }
    return rest
  }

  private func settle(_ command: CommandEnvelope, _ outcome: GivenOutcome, replayed: Bool, again: Bool) {
    state.withLock { state in
      if let first = state.outcomes[command.id] {
        if first != outcome { state.faults.append("command \(command.id): first \(first), then \(outcome)") }
      } else {
        state.outcomes[command.id] = outcome
        if again { if replayed { state.tally.foundAgain += 1 } else { state.tally.decidedAgain += 1 } }
      }
    }
  }

  private func count(_ exchange: Exchange) {
    state.withLock { state in
      switch exchange {
      case .answered(let answer): state.tally.statuses[answer.status, default: 0] += 1
      case .unanswered: state.tally.unanswered += 1
      case .cutOff: state.tally.cutOff += 1
      }
    }
  }

  private func countDelay(_ answer: CommandAnswer?) {
    let why = [answer?.code, answer?.detail].compactMap { $0 }.joined(separator: ": ")
    state.withLock { $0.tally.delays[why, default: 0] += 1 }
  }

  private func fault(_ what: String) {
    state.withLock { $0.faults.append(what) }
  }

  // MARK: Until answered

  /// The longest that a command may go unanswered while servers and database come and go.
  private static let patience = Duration.seconds(90)

  /// Gives a command to one server after the other until it is answered.
  ///
  /// - Parameter first: the server to begin with.
  @discardableResult
  func settle(
    _ command: CommandEnvelope, at first: Int, patience: TimeAmount = .seconds(10)
  ) async -> GivenOutcome? {
    let until = ContinuousClock.now + Self.patience
    var attempt = 0
    var again = false
    while ContinuousClock.now < until, !Task.isCancelled {
      let exchange = await post(command, at: servers[(first + attempt) % servers.count], patience: patience)
      if let outcome = take(exchange, for: command, again: again) { return outcome }
      if exchange.status == nil { again = true } else if exchange.status != 503 { return nil }
      attempt += 1
      try? await Task.sleep(for: .milliseconds(20))
    }
    return nil
  }

  /// As for one command; those of a batch that weren't answered are given again without the others.
  ///
  /// - Returns: whether all were answered.
  @discardableResult
  func settle(_ commands: [CommandEnvelope], at first: Int) async -> Bool {
    let until = ContinuousClock.now + Self.patience
    var rest = commands
    var attempt = 0
    var again = false
    while ContinuousClock.now < until, !Task.isCancelled {
      let exchange = await post(rest, at: servers[(first + attempt) % servers.count])
      rest = take(exchange, for: rest, again: again)
      if rest.isEmpty { return true }
      if exchange.status == nil { again = true }
      attempt += 1
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  // MARK: Load

  /// Runs `body` while clients give one thing after the other, singly and in batches, each to the servers in turn; and
  /// returns when each client has its last answer.
  func underLoad(_ count: Int, _ body: () async throws -> Void) async throws {
    let stopping = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count { group.addTask { await self.bank(number, until: stopping) } }
      try await body()
      stopping.raise()
      try await group.waitForAll()
    }
  }

  /// One client's day.
  private func bank(_ number: Int, until stopping: Flag) async {
    var server = number
    while !stopping.isRaised, !Task.isCancelled {
      let count = number % 3 == 0 ? 4 + number % 17 : 1
      let commands = teller.withLock { teller in (0..<count).map { _ in teller.next() } }
      // A request is one person's.
      for actor in Teller.staff {
        let own = commands.filter { $0.actor == actor }
        if own.count == 1 { await settle(own[0], at: server) } else if !own.isEmpty { await settle(own, at: server) }
      }
      server += 1
    }
  }
}

/// Raised once, seen by all.
final class Flag: Sendable {
  private let raised = Atomic(false)
  var isRaised: Bool { raised.load(ordering: .acquiring) }
  func raise() { raised.store(true, ordering: .releasing) }
}
