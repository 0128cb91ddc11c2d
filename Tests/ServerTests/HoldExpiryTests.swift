import Commands
import Crypto
import EventStore
import HTTPTypes
import Ledger
import Logging
import Server
import Testing

/// Holds end when their time comes, whatever anybody does about it.
@Suite(.timeLimit(.minutes(1))) struct HoldExpiryTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"

  private static func open(_ caller: TestCaller) async throws {
    try await caller.open(TestBank.alice, account: savings, funds: 1_000)
    try await caller.open(TestBank.bob, account: shop, funds: 0)
  }

  /// Holds that are due when this returns, in the order of their ends.
  private static func placeDue(_ count: Int, _ caller: TestCaller) async throws -> [HoldID] {
    let soon = Moment.now.microseconds + 500_000
    var holds: [HoldID] = []
    for number in 0..<count {
      let key = TestCaller.newID()
      let end = Moment(microseconds: soon + Int64(number))
      let placed = try await caller.give(
        "PlaceHold", #"{"account_id":"\#(savings)","amount":10,"currency":"NZD","expires_at":"\#(end)"}"#, key: key)
      try #require(placed.status == .created)
      holds.append(try #require(Identifier(key)))
    }
    while Moment.now.microseconds <= soon + Int64(count) { await Task.yield() }
    return holds
  }

  private static func expired(_ bank: TestBank) -> [HoldID] {
    bank.book.events { if case .holdExpired(let event) = $0 { event.returned.holdID } else { nil } }
  }

  private static func expiry(_ bank: TestBank, logger: Logger? = nil, count: Int = 1_000) -> HoldExpiry {
    HoldExpiry(
      handler: bank.parts.handler, reader: bank.book, ids: bank.ids, logger: logger ?? bank.parts.logger, count: count)
  }

  /// Takes an id before the book's own command comes.
  private static func take(_ id: CommandID, _ caller: TestCaller) async throws {
    let answer = try await caller.give(
      "PostTransfer", TestCaller.transfer(savings, shop, 1), as: "alice", key: id.description)
    try #require(answer.status == .created)
  }

  @Test func holdsThatAreDueAreExpiredOnce() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      let holds = try await Self.placeDue(1, caller)
      // Two servers on one book.
      async let one: Void = Self.expiry(bank).look()
      async let two: Void = Self.expiry(bank).look()
      _ = await (one, two)
      #expect(Self.expired(bank) == holds)
      #expect(bank.book.log.last?.origin.actor == .kauri)
      #expect(bank.book.state.accounts[try #require(Identifier(Self.savings))]?.balance.held == 0)
    }
  }

  /// The id can't be worked out from what clients know.
  @Test func anIdThatAnybodyCanWorkOutStopsNothing() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      let holds = try await Self.placeDue(1, caller)
      for text in ["kauri expires hold \(holds[0])", "kauri expires hold \(holds[0]) 0"] {
        let bytes = Array(SHA256.hash(data: Array(text.utf8)))
        let halves = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        try await Self.take(
          Identifier(
            high: halves[0] & 0xFFFF_FFFF_FFFF_0FFF | 0x8000,
            low: halves[1] & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000), caller)
      }
      await Self.expiry(bank).look()
      #expect(Self.expired(bank) == holds)
    }
  }

  @Test func idsFollowFromTheHoldTheAttemptAndTheKey() {
    let key = SymmetricKey(size: .bits256)
    let (hold, other) = (Identifier(high: 1, low: 2), Identifier(high: 1, low: 3))
    let ids = OwnCommandIDs(key: key)
    #expect(ids.expiry(of: hold, attempt: 0) == OwnCommandIDs(key: key).expiry(of: hold, attempt: 0))
    let all = Set(
      [ids, OwnCommandIDs(key: SymmetricKey(size: .bits256))].flatMap { ids in
        [hold, other].flatMap { hold in (0..<3).map { ids.expiry(of: hold, attempt: $0) } }
      })
    #expect(all.count == 12)
    for id in all { #expect(id.description.dropFirst(14).first == "8" && "89ab".contains(Array(id.description)[19])) }
    // Servers with one master key have one key for it.
    let master = SymmetricKey(size: .bits256)
    let servers = (0..<2).map { _ in PersonalKeyring(masterKey: master).ownCommandIDs.expiry(of: hold, attempt: 0) }
    #expect(servers[0] == servers[1])
  }

  @Test func anIdThatIsTakenAllTheSameIsPassedOver() async throws {
    let bank = try await TestBank()
    let lines = Tally()
    let logger = Logger(label: "test") { _ in TallyLog(lines: lines) }
    try await bank.test { caller in
      try await Self.open(caller)
      let holds = try await Self.placeDue(1, caller)
      try await Self.take(bank.ids.expiry(of: holds[0], attempt: 0), caller)
      async let one: Void = Self.expiry(bank, logger: logger).look()
      async let two: Void = Self.expiry(bank, logger: logger).look()
      _ = await (one, two)
      #expect(Self.expired(bank) == holds, "once, under the next id")
      #expect(bank.book.log.last?.origin.commandID == bank.ids.expiry(of: holds[0], attempt: 1))
    }
    #expect(lines["warning"].contains { $0.contains("belongs to another command") })
  }

  /// However many of the earliest can't be expired, the others are.
  @Test func holdsThatCantBeExpiredDontKeepTheOthers() async throws {
    let bank = try await TestBank()
    let lines = Tally()
    let logger = Logger(label: "test") { _ in TallyLog(lines: lines) }
    try await bank.test { caller in
      try await Self.open(caller)
      let holds = try await Self.placeDue(7, caller)
      for hold in holds.prefix(4) {
        for attempt in 0..<HoldExpiry.attempts {
          try await Self.take(bank.ids.expiry(of: hold, attempt: attempt), caller)
        }
      }
      await Self.expiry(bank, logger: logger, count: 2).look()
      #expect(Self.expired(bank) == Array(holds.dropFirst(4)))
    }
    #expect(lines["error"].count == 2, "one line for those of a round that failed")
  }
}

/// A log that a test reads.
private struct TallyLog: LogHandler {
  let lines: Tally
  var logLevel = Logger.Level.debug
  var metadata: Logger.Metadata = [:]

  init(lines: Tally) { self.lines = lines }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.add("\(event.message)", for: event.level.rawValue) }
}
