/// One leg of a movement: how much one account gains or gives.
public struct Posting: Hashable, Sendable {
  public var account: ResolvedAccount
  public var direction: Direction
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency

  public init(account: ResolvedAccount, direction: Direction, amount: MinorUnits, currency: Currency) {
    self.account = account
    self.direction = direction
    self.amount = amount
    self.currency = currency
  }

  init(from value: JSONValue) throws(JSONFault) {
    var object = try value.object()
    account = try ResolvedAccount(from: &object)
    direction = try object.required("direction").choice(Direction.self)
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    try object.finish()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.beginObject()
    account.write(to: &writer)
    writer.json.field("direction", direction.rawValue)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.endObject()
  }

  /// What the command said of this leg.
  public var instruction: PostingInstruction {
    PostingInstruction(account: account.reference, direction: direction, amount: amount, currency: currency)
  }

  /// The change of the account's balance, in minor units: negative for a debit.
  public var signedAmount: MinorUnits { direction == .debit ? -amount : amount }
}

/// What a journal moves, with its accounts resolved.
public struct JournalTerms: Hashable, Sendable {
  public var journalID: JournalID
  public var postings: [Posting]
  public var reference: PersonalText?
  public var valueDate: CalendarDate?

  /// - Parameter accounts: the resolved accounts, in the order of the instruction's postings.
  public init(_ instruction: PostJournal, accounts: [AccountID]) {
    journalID = instruction.journalID
    postings = zip(instruction.postings, accounts).map { posting, account in
      Posting(
        account: ResolvedAccount(account, from: posting.account), direction: posting.direction, amount: posting.amount,
        currency: posting.currency)
    }
    reference = instruction.reference
    valueDate = instruction.valueDate
  }

  /// What the command said.
  public var instruction: PostJournal {
    PostJournal(
      journalID: journalID, postings: postings.map(\.instruction), reference: reference, valueDate: valueDate)
  }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    journalID = try object.required("journal_id").identifier()
    postings = []
    for value in try object.required("postings").array() { postings.append(try Posting(from: value)) }
    reference = try object.personalText("reference", in: context)
    valueDate = try object.optional("value_date")?.date()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("journal_id", journalID)
    writer.json.key("postings")
    writer.json.beginArray()
    for posting in postings { posting.write(to: &writer) }
    writer.json.endArray()
    writer.field("reference", personal: reference)
    writer.json.field("value_date", valueDate)
  }
}

/// Money moved among several accounts at once.
public struct JournalPosted: EventContent {
  public static let type: StaticString = "JournalPosted"
  public var terms: JournalTerms
  /// Scores and limits that were compared, per debited customer account.
  public var checks: [Check]
  /// Set when it waited for a second person.
  public var approval: ApprovalNote?

  public init(terms: JournalTerms, checks: [Check], approval: ApprovalNote? = nil) {
    self.terms = terms
    self.checks = checks
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try JournalTerms(from: &object, in: context)
    checks = try object.checks()
    approval = try object.approval(in: context)
  }

  public func write(to writer: inout RecordWriter) {
    terms.write(to: &writer)
    writer.json.field(checks: checks)
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.journal, terms.journalID) }
}

/// A journal's debits are reserved; a second person decides.
public struct JournalHeldForApproval: EventContent {
  public static let type: StaticString = "JournalHeldForApproval"
  public var terms: JournalTerms
  public var checks: [Check]

  public init(terms: JournalTerms, checks: [Check]) {
    self.terms = terms
    self.checks = checks
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try JournalTerms(from: &object, in: context)
    checks = try object.checks()
  }

  public func write(to writer: inout RecordWriter) {
    terms.write(to: &writer)
    writer.json.field(checks: checks)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.journal, terms.journalID) }
}

/// A journal was refused, with everything that was looked at.
public struct JournalDeclined: EventContent {
  public static let type: StaticString = "JournalDeclined"
  public var instruction: PostJournal
  public var code: RejectionCode
  public var checks: [Check]

  public init(instruction: PostJournal, code: RejectionCode, checks: [Check]) {
    self.instruction = instruction
    self.code = code
    self.checks = checks
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try PostJournal(from: &object, in: context)
    code = try object.required("code").choice(RejectionCode.self)
    checks = try object.checks()
  }

  public func write(to writer: inout RecordWriter) {
    instruction.write(to: &writer)
    writer.json.field("code", code.rawValue)
    writer.json.field(checks: checks)
  }

  /// A decline under an id of the client's own choice doesn't take that id: the client may ask again.
  public func stream(command: CommandID) -> StreamID {
    StreamID(instruction.journalID == command ? .journal : .command, command)
  }
}
