/// An account exists from here on, with a balance of zero.
public struct AccountOpened: EventContent {
  public static let type: StaticString = "AccountOpened"
  public var instruction: OpenAccount

  public init(instruction: OpenAccount) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try OpenAccount(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.account, instruction.accountID) }
}

/// Which account changed its state, and why.
public struct AccountStateTerms: Hashable, Sendable {
  public var account: ResolvedAccount
  public var reason: PersonalText?

  public init(_ change: AccountStateChange, account: AccountID) {
    self.account = ResolvedAccount(account, from: change.account)
    reason = change.reason
  }

  /// What the command said.
  public var change: AccountStateChange { AccountStateChange(account: account.reference, reason: reason) }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    account = try ResolvedAccount(from: &object)
    reason = try object.personalText("reason", in: context)
  }

  func write(to writer: inout RecordWriter) {
    account.write(to: &writer)
    writer.field("reason", personal: reason)
  }
}

/// Money stopped moving in and out of the account.
public struct AccountFrozen: EventContent {
  public static let type: StaticString = "AccountFrozen"
  public var terms: AccountStateTerms

  public init(terms: AccountStateTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try AccountStateTerms(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.account, terms.account.id) }
}

/// Money moves again.
public struct AccountUnfrozen: EventContent {
  public static let type: StaticString = "AccountUnfrozen"
  public var terms: AccountStateTerms

  public init(terms: AccountStateTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try AccountStateTerms(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.account, terms.account.id) }
}

/// The account is closed for ever.
public struct AccountClosed: EventContent {
  public static let type: StaticString = "AccountClosed"
  public var terms: AccountStateTerms

  public init(terms: AccountStateTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try AccountStateTerms(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.account, terms.account.id) }
}
