/// What has become of a hold. It reserves money while it is active; each of the other states is its end.
public enum HoldStatus: String, Hashable, Sendable, CaseIterable {
  case active, captured, released, expired
}

/// A hold as decisions read it.
public struct Hold: Hashable, Sendable {
  public var id: HoldID
  public var accountID: AccountID
  /// What was reserved, in minor units.
  public var amount: MinorUnits
  /// What was captured of it, in minor units.
  public var captured: MinorUnits
  public var currency: Currency
  public var expiresAt: Moment?
  public var status: HoldStatus
  /// The book date on which it used up limits.
  public var placedOn: CalendarDate
  /// Of its stream.
  public var version: Int64
  /// The log position of the last event that changed it.
  public var position: Int64

  public init(
    id: HoldID, accountID: AccountID, amount: MinorUnits, captured: MinorUnits = 0, currency: Currency,
    expiresAt: Moment?, status: HoldStatus = .active, placedOn: CalendarDate, version: Int64, position: Int64
  ) {
    self.id = id
    self.accountID = accountID
    self.amount = amount
    self.captured = captured
    self.currency = currency
    self.expiresAt = expiresAt
    self.status = status
    self.placedOn = placedOn
    self.version = version
    self.position = position
  }
}

/// What a second person has made of a command that waited. What it reserved is given back when it stops waiting.
public enum ApprovalStatus: String, Hashable, Sendable, CaseIterable {
  case waiting, approved, rejected
}

/// Something that waits, or waited, for a second person.
public struct Approval: Hashable, Sendable {
  /// What waits.
  public enum Subject: Hashable, Sendable {
    case transfer(TransferTerms)
    case journal(JournalTerms)
    case policy(PolicyChange)
    case ruleSet(Int)
    case match(MatchFinding, MatchDecision)
  }

  /// The command that waits.
  public var commandID: CommandID
  public var maker: Actor
  public var subject: Subject
  public var status: ApprovalStatus
  /// The book date on which a movement that waits used up limits.
  public var heldOn: CalendarDate
  public var heldAt: Moment
  /// The stream of what waits, and its version then.
  public var stream: StreamID
  public var streamVersion: Int64
  /// The log position of the event that says what waits.
  public let heldPosition: Int64
  /// The log position of the last event that changed it.
  public var position: Int64

  /// - Parameter position: of the event that says what waits.
  public init(
    commandID: CommandID, maker: Actor, subject: Subject, status: ApprovalStatus = .waiting, heldOn: CalendarDate,
    heldAt: Moment, stream: StreamID, streamVersion: Int64, position: Int64
  ) {
    self.commandID = commandID
    self.maker = maker
    self.subject = subject
    self.status = status
    self.heldOn = heldOn
    self.heldAt = heldAt
    self.stream = stream
    self.streamVersion = streamVersion
    heldPosition = position
    self.position = position
  }

  /// What is reserved per account while it waits, in minor units.
  public var reservations: [AccountID: MinorUnits] {
    switch subject {
    case .transfer(let terms): [terms.debit.id: terms.amount]
    case .journal(let terms): terms.netDebits
    case .policy, .ruleSet, .match: [:]
    }
  }
}

extension JournalTerms {
  /// The net change of each account, in minor units; nil when a sum leaves Int64.
  public var netChanges: [AccountID: MinorUnits]? {
    var changes: [AccountID: MinorUnits] = [:]
    for posting in postings {
      let (sum, overflow) = changes[posting.account.id, default: 0].addingReportingOverflow(posting.signedAmount)
      if overflow { return nil }
      changes[posting.account.id] = sum
    }
    return changes
  }

  /// What leaves each account on balance, in minor units, greater than zero. A decision refuses journals whose sums
  /// leave Int64, so an accepted one always has its changes.
  public var netDebits: [AccountID: MinorUnits] {
    (netChanges ?? [:]).filter { $0.value < 0 && $0.value != .min }.mapValues { -$0 }
  }
}

/// What has become of a transfer.
///
/// ```
/// held_for_approval ─Approve─► posted ─ReverseTransfer─► reversed
/// held_for_approval ─Reject, or Approve with a check that fails by then─► rejected
/// ```
public enum TransferStatus: String, Hashable, Sendable, CaseIterable {
  case heldForApproval = "held_for_approval"
  case posted, declined, rejected, reversed
}

/// A transfer, folded from its own stream when a reversal names it.
public struct Transfer: Hashable, Sendable {
  public var id: TransferID
  public var debit: AccountID
  public var credit: AccountID
  public var amount: MinorUnits
  public var currency: Currency
  public var status: TransferStatus
  /// The book date on which it used up limits.
  public var limitsUsedOn: CalendarDate
  /// Of its stream.
  public var version: Int64

  public init(
    id: TransferID, debit: AccountID, credit: AccountID, amount: MinorUnits, currency: Currency, status: TransferStatus,
    limitsUsedOn: CalendarDate, version: Int64
  ) {
    self.id = id
    self.debit = debit
    self.credit = credit
    self.amount = amount
    self.currency = currency
    self.status = status
    self.limitsUsedOn = limitsUsedOn
    self.version = version
  }
}

/// A sanctions list as it is in force.
public struct SanctionsList: Hashable, Sendable {
  public var name: String
  public var list: ListVersion
  public var entries: [String: SanctionsEntry]
  /// Of its stream.
  public var version: Int64
  /// The log position of the last event that changed it.
  public var position: Int64

  public init(
    name: String, list: ListVersion, entries: [String: SanctionsEntry] = [:], version: Int64, position: Int64
  ) {
    self.name = name
    self.list = list
    self.entries = entries
    self.version = version
    self.position = position
  }
}
