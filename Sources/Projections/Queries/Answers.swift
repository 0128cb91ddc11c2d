public import Commands
public import Ledger

/// What a query gives back, with the log position that it reflects.
public struct Answer<Value: Sendable>: Sendable {
  public var value: Value
  /// Every event up to here, and none after it, is in `value`.
  public var position: Int64
  /// The moment that an answer about the past is about; nil for one about now.
  public var asOf: Moment?

  public init(_ value: Value, position: Int64, asOf: Moment? = nil) {
    self.value = value
    self.position = position
    self.asOf = asOf
  }

  func map<Other: Sendable>(_ change: (Value) throws -> Other) rethrows -> Answer<Other> {
    Answer<Other>(try change(value), position: position, asOf: asOf)
  }
}

/// A point of the book's past.
public enum PointInTime: Hashable, Sendable {
  /// After the event at this log position.
  case position(Int64)
  /// After the last event that was decided at or before this moment.
  case moment(Moment)

  /// Reads a log position, or an RFC 3339 date-time; nil for what is neither.
  public init?(_ text: String) {
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      guard let position = Int64(text) else { return nil }
      self = .position(position)
    } else {
      guard let moment = Moment(text) else { return nil }
      self = .moment(moment)
    }
  }
}

/// An account's money, now or in the past.
public struct AccountBalance: Hashable, Sendable {
  public var accountID: AccountID
  public var customerID: CustomerID?
  public var currency: Currency
  /// Minor units.
  public var posted: MinorUnits
  /// Minor units; reserved by holds and by what waits for approval.
  public var held: MinorUnits
  /// Minor units: posted − held + overdraft. Nil when the account has no floor.
  public var available: MinorUnits?

  public init(
    accountID: AccountID, customerID: CustomerID? = nil, currency: Currency, posted: MinorUnits, held: MinorUnits,
    available: MinorUnits? = nil
  ) {
    self.accountID = accountID
    self.customerID = customerID
    self.currency = currency
    self.posted = posted
    self.held = held
    self.available = available
  }
}

/// An active hold whose time has come. In the order in which they are to be expired.
public struct DueHold: Hashable, Comparable, Sendable {
  public var id: HoldID
  public var expiresAt: Moment

  public init(id: HoldID, expiresAt: Moment) {
    self.id = id
    self.expiresAt = expiresAt
  }

  public static func < (left: DueHold, right: DueHold) -> Bool {
    (left.expiresAt, left.id) < (right.expiresAt, right.id)
  }
}

/// What kind of movement an entry belongs to.
public enum EntryKind: String, Hashable, Sendable, CaseIterable {
  case transfer, journal, capture, reversal
}

/// One line of an account's statement: one posting.
public struct Entry: Hashable, Sendable {
  public var accountID: AccountID
  /// The log position of the event, and the posting's place in it, from 0.
  public var position: Int64
  public var leg: Int
  public var kind: EntryKind
  /// Of the transfer, journal or hold.
  public var movementID: Identifier
  public var direction: Direction
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  /// The account's posted balance after this entry, in minor units.
  public var balance: MinorUnits
  /// The other account, where there is just one.
  public var counterparty: AccountID?
  public var bookDate: CalendarDate
  /// The business day that it counts for, where the command gave one.
  public var valueDate: CalendarDate?
  public var moment: Moment
  /// Sealed; of a reversal, its `reason`, otherwise the movement's `reference`.
  public var text: PersonalText?

  /// The field that `text` was sealed as, which opening it asks for.
  public var textField: StaticString { kind == .reversal ? "reason" : "reference" }

  public init(
    accountID: AccountID, position: Int64, leg: Int, kind: EntryKind, movementID: Identifier, direction: Direction,
    amount: MinorUnits, balance: MinorUnits, counterparty: AccountID? = nil, bookDate: CalendarDate,
    valueDate: CalendarDate? = nil, moment: Moment, text: PersonalText? = nil
  ) {
    self.accountID = accountID
    self.position = position
    self.leg = leg
    self.kind = kind
    self.movementID = movementID
    self.direction = direction
    self.amount = amount
    self.balance = balance
    self.counterparty = counterparty
    self.bookDate = bookDate
    self.valueDate = valueDate
    self.moment = moment
    self.text = text
  }
}

/// Which entries of an account, and in which order.
public struct EntriesRequest: Hashable, Sendable {
  public enum Order: String, Hashable, Sendable, CaseIterable {
    case newestFirst = "newest_first"
    case oldestFirst = "oldest_first"
  }

  public static let limitMaximum = 1_000

  public var order: Order
  /// Entries on a page, 1 to `limitMaximum`; anything else is brought into that range.
  public var limit: Int
  /// The `next` of an earlier page of the same account and order.
  public var cursor: String?
  /// The first and the last book date that are wanted; nil for no bound.
  public var from: CalendarDate?
  public var through: CalendarDate?
  /// Only what had happened by then.
  public var at: PointInTime?

  public init(
    order: Order = .newestFirst, limit: Int = 100, cursor: String? = nil, from: CalendarDate? = nil,
    through: CalendarDate? = nil, at: PointInTime? = nil
  ) {
    self.order = order
    self.limit = limit
    self.cursor = cursor
    self.from = from
    self.through = through
    self.at = at
  }
}

/// A page of a list, with how to ask for the next; nil when this is the last.
public struct Page<Element: Sendable>: Sendable {
  public var elements: [Element]
  public var next: String?

  public init(_ elements: [Element], next: String?) {
    self.elements = elements
    self.next = next
  }
}

/// One limit that bounds an account, with how much of it is used.
public struct LimitReading: Hashable, Sendable {
  /// Whose limit it is: the account's own, or its customer's over all its accounts in the currency.
  public var scope: SubjectKind
  public var subjectID: Identifier
  public var kind: LimitKind
  public var currency: Currency
  /// Minor units.
  public var limit: MinorUnits
  /// Minor units used in the window; nil for kinds that count no past.
  public var used: MinorUnits?
  /// Minor units that may still move out; never below zero. Nil for kinds that count no past.
  public var left: MinorUnits?
  /// The first book date that counts; nil for kinds that count no past.
  public var windowStart: CalendarDate?

  public init(
    scope: SubjectKind, subjectID: Identifier, kind: LimitKind, currency: Currency, limit: MinorUnits,
    used: MinorUnits? = nil, left: MinorUnits? = nil, windowStart: CalendarDate? = nil
  ) {
    self.scope = scope
    self.subjectID = subjectID
    self.kind = kind
    self.currency = currency
    self.limit = limit
    self.used = used
    self.left = left
    self.windowStart = windowStart
  }
}

/// The limits of an account on a book date.
public struct LimitsReading: Hashable, Sendable {
  public var accountID: AccountID
  public var customerID: CustomerID?
  public var bookDate: CalendarDate
  /// Only those that are set: the account's, then its customer's, in the order of the contract.
  public var limits: [LimitReading]

  public init(
    accountID: AccountID, customerID: CustomerID? = nil, bookDate: CalendarDate, limits: [LimitReading]
  ) {
    self.accountID = accountID
    self.customerID = customerID
    self.bookDate = bookDate
    self.limits = limits
  }
}

/// Where a transfer stands and how it came there.
public struct TransferReading: Sendable {
  public struct Step: Sendable {
    public var status: TransferStatus
    public var event: AppendedEvent

    public init(
      status: TransferStatus, event: AppendedEvent
    ) {
      self.status = status
      self.event = event
    }
  }

  public var transferID: TransferID
  public var status: TransferStatus
  /// As the command named them, when it was declined.
  public var debit: AccountReference
  public var credit: AccountReference
  /// Minor units.
  public var amount: MinorUnits
  public var currency: Currency
  /// Sealed as `reference`.
  public var reference: PersonalText?
  public var channel: Channel?
  public var valueDate: CalendarDate?
  public var occurredAt: Moment?
  /// Oldest first.
  public var history: [Step]

  public init(
    transferID: TransferID, status: TransferStatus, debit: AccountReference, credit: AccountReference,
    amount: MinorUnits, currency: Currency, reference: PersonalText? = nil, channel: Channel? = nil,
    valueDate: CalendarDate? = nil, occurredAt: Moment? = nil, history: [Step]
  ) {
    self.transferID = transferID
    self.status = status
    self.debit = debit
    self.credit = credit
    self.amount = amount
    self.currency = currency
    self.reference = reference
    self.channel = channel
    self.valueDate = valueDate
    self.occurredAt = occurredAt
    self.history = history
  }
}

/// A sanctions list in force.
public struct SanctionsListReading: Hashable, Sendable {
  public var list: String
  public var version: ListVersion
  /// Entries in force.
  public var entries: Int
  /// The log position of the last event that changed it.
  public var changedAt: Int64

  public init(
    list: String, version: ListVersion, entries: Int, changedAt: Int64
  ) {
    self.list = list
    self.version = version
    self.entries = entries
    self.changedAt = changedAt
  }
}

/// A name that is or was on a sanctions list.
public struct SanctionsEntryReading: Hashable, Sendable {
  public var list: String
  public var listVersion: ListVersion
  public var entry: SanctionsEntry
  /// It is no longer on the list.
  public var removed: Bool

  public init(
    list: String, listVersion: ListVersion, entry: SanctionsEntry, removed: Bool
  ) {
    self.list = list
    self.listVersion = listVersion
    self.entry = entry
    self.removed = removed
  }
}

/// A customer as the overview has it.
public struct CustomerOverview: Hashable, Sendable {
  public struct Total: Hashable, Sendable {
    public var currency: Currency
    /// Accounts in the currency that aren't closed.
    public var accounts: Int
    /// The sum of their posted balances, in minor units; nil when it leaves Int64.
    public var posted: MinorUnits?
  }

  public var customerID: CustomerID
  public var status: CustomerStatus
  public var country: String?
  public var sanctionsMatch: Bool
  public var registeredAt: Moment
  /// In order of currencies.
  public var totals: [Total]
}

/// A command that was declined.
public struct Decline: Hashable, Sendable {
  public var position: Int64
  public var commandID: CommandID
  public var command: String
  public var code: RejectionCode
  public var actor: Actor
  /// The account that was to be debited or changed, where the command named one by its id.
  public var accountID: AccountID?
  /// Minor units.
  public var amount: MinorUnits?
  public var currency: Currency?
  public var moment: Moment
  public var bookDate: CalendarDate
}

/// Somebody saw a customer's data, or was refused something.
public struct AccessRecord: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable { case read, refused }

  public var position: Int64
  public var kind: Kind
  public var actor: Actor
  /// Whose data it was; nil for a refusal that concerns no single customer.
  public var customerID: CustomerID?
  /// The route that was asked for, or the command that was refused.
  public var resource: String
  public var objectID: Identifier?
  public var moment: Moment
}

/// Where the log ends.
public struct HeadReading: Hashable, Sendable {
  public var position: Int64
  public var lastMoment: Moment
  public var incarnation: Int
  public var ruleSet: Int

  public init(
    position: Int64, lastMoment: Moment, incarnation: Int, ruleSet: Int
  ) {
    self.position = position
    self.lastMoment = lastMoment
    self.incarnation = incarnation
    self.ruleSet = ruleSet
  }
}
