/// The book itself: what `BookOpened` and the policies after it say.
public struct Book: Hashable, Sendable {
  public var id: Identifier
  public var timeZone: String
  public var currency: Currency
  public var policies: Policies
  public var ruleSet: Int
  /// Of its stream.
  public var version: Int64
  /// The log position of the last event that changed it.
  public var position: Int64

  public init(
    id: Identifier, timeZone: String, currency: Currency, policies: Policies, ruleSet: Int, version: Int64,
    position: Int64
  ) {
    self.id = id
    self.timeZone = timeZone
    self.currency = currency
    self.policies = policies
    self.ruleSet = ruleSet
    self.version = version
    self.position = position
  }
}

/// Everything that a decision reads.
///
/// It may hold the whole book (a replay) or just what the commands at hand need (a server, which loads the rest from
/// the read models that are kept in the same transaction). `evolve` is the one function that changes it, so both are
/// the same fold of the log.
public struct BookState: Sendable {
  public var book: Book?
  public var accounts: [AccountID: Account] = [:]
  public var customers: [CustomerID: Customer] = [:]
  public var holds: [HoldID: Hold] = [:]
  public var approvals: [CommandID: Approval] = [:]
  public var numbers: [AccountNumber: AccountID] = [:]
  public var lists: [String: SanctionsList] = [:]

  /// Transfers and ids that somebody asked about: a key that is here is known, also when its value says that there is
  /// no such thing. No read model keeps them, so a server holds only those that a reversal, or an id of the client's
  /// own choice, names.
  public var transfers: [TransferID: Transfer?] = [:]
  public var claimed: [Identifier: Bool] = [:]
  /// Whether every transfer and id is kept, as in a replay.
  public var keepsEverything: Bool

  /// What `evolve` has changed since somebody last looked.
  public var touched = Touched()

  public init(keepsEverything: Bool = false) {
    self.keepsEverything = keepsEverything
  }

  /// Which rows of the read models are no longer what they were.
  public struct Touched: Hashable, Sendable {
    public var book = false
    public var accounts: Set<AccountID> = []
    public var balances: Set<AccountID> = []
    public var customers: Set<CustomerID> = []
    public var holds: Set<HoldID> = []
    public var approvals: Set<CommandID> = []
    /// By list, the entries that were added, changed or removed, with the log position of the last event that did; a
    /// list whose version changed is here even when none was.
    public var lists: [String: [String: Int64]] = [:]
    /// By list, what entries said that were removed, as far as it was known.
    public var removedEntries: [String: [String: SanctionsEntry]] = [:]

    public init() {}
  }

  /// The account that a command named.
  public func account(_ reference: AccountReference) -> Account? {
    switch reference {
    case .id(let id): accounts[id]
    case .number(let number): numbers[number].flatMap { accounts[$0] }
    }
  }

  /// Whether an id of the client's own choice is taken.
  public func isClaimed(_ id: Identifier) -> Bool {
    claimed[id] ?? false
  }

  /// The version that `event`, the next of its `stream`, gets.
  public func nextVersion(of event: Event, in stream: StreamID) -> Int64 {
    let current: Int64? =
      switch stream.kind {
      case .book: book?.version
      case .customer: customers[stream.id]?.version
      case .account: accounts[stream.id]?.version
      case .hold: holds[stream.id]?.version
      // What waited for a second person is the only movement with an event before this one, unless a reversal has named
      // it.
      case .transfer: event.approvedCommand.map { approvals[$0]?.streamVersion } ?? transfers[stream.id]??.version
      case .journal: event.approvedCommand.map { approvals[$0]?.streamVersion } ?? nil
      case .sanctionsList: lists.values.first { StreamID(sanctionsList: $0.name) == stream }?.version
      case .command: nil
      }
    return (current ?? 0) + 1
  }
}

extension Event {
  /// The command that waited, where this event is what a second person decided of it.
  public var approvedCommand: CommandID? {
    switch self {
    case .transferPosted(let posted): posted.approval?.commandID
    case .journalPosted(let posted): posted.approval?.commandID
    case .approvalRejected(let rejected): rejected.note.commandID
    case .policySet(let set): set.approval.commandID
    case .ruleSetActivated(let activated): activated.approval?.commandID
    case .sanctionsMatchConfirmed(let confirmed): confirmed.approval.commandID
    case .sanctionsMatchCleared(let cleared): cleared.approval.commandID
    default: nil
    }
  }
}
