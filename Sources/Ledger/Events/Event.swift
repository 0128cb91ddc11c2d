/// Something that happened. Events are facts: they are appended, never changed.
public enum Event: Hashable, Sendable {
  case bookOpened(BookOpened)
  case ruleSetProposed(RuleSetProposed)
  case ruleSetActivated(RuleSetActivated)
  case customerRegistered(CustomerRegistered)
  case customerVerified(CustomerVerified)
  case customerRejected(CustomerRejected)
  case customerSuspended(CustomerSuspended)
  case customerErased(CustomerErased)
  case accountOpened(AccountOpened)
  case accountFrozen(AccountFrozen)
  case accountUnfrozen(AccountUnfrozen)
  case accountClosed(AccountClosed)
  case transferPosted(TransferPosted)
  case transferHeldForApproval(TransferHeldForApproval)
  case transferDeclined(TransferDeclined)
  case transferReversed(TransferReversed)
  case journalPosted(JournalPosted)
  case journalHeldForApproval(JournalHeldForApproval)
  case journalDeclined(JournalDeclined)
  case holdPlaced(HoldPlaced)
  case holdCaptured(HoldCaptured)
  case holdReleased(HoldReleased)
  case holdExpired(HoldExpired)
  case approvalRejected(ApprovalRejected)
  case limitSet(LimitSet)
  case policyChangeProposed(PolicyChangeProposed)
  case policySet(PolicySet)
  case fraudScoreRecorded(FraudScoreRecorded)
  case riskScoreRecorded(RiskScoreRecorded)
  case amlScoreRecorded(AmlScoreRecorded)
  case sanctionsListImported(SanctionsListImported)
  case sanctionsEntryAdded(SanctionsEntryAdded)
  case sanctionsEntryChanged(SanctionsEntryChanged)
  case sanctionsEntryRemoved(SanctionsEntryRemoved)
  case sanctionsMatchProposed(SanctionsMatchProposed)
  case sanctionsMatchConfirmed(SanctionsMatchConfirmed)
  case sanctionsMatchCleared(SanctionsMatchCleared)
  case commandDeclined(CommandDeclined)
  case accessRefused(AccessRefused)
  case customerDataRead(CustomerDataRead)

  /// The content, whatever its kind.
  public var content: any EventContent {
    switch self {
    case .bookOpened(let content): content
    case .ruleSetProposed(let content): content
    case .ruleSetActivated(let content): content
    case .customerRegistered(let content): content
    case .customerVerified(let content): content
    case .customerRejected(let content): content
    case .customerSuspended(let content): content
    case .customerErased(let content): content
    case .accountOpened(let content): content
    case .accountFrozen(let content): content
    case .accountUnfrozen(let content): content
    case .accountClosed(let content): content
    case .transferPosted(let content): content
    case .transferHeldForApproval(let content): content
    case .transferDeclined(let content): content
    case .transferReversed(let content): content
    case .journalPosted(let content): content
    case .journalHeldForApproval(let content): content
    case .journalDeclined(let content): content
    case .holdPlaced(let content): content
    case .holdCaptured(let content): content
    case .holdReleased(let content): content
    case .holdExpired(let content): content
    case .approvalRejected(let content): content
    case .limitSet(let content): content
    case .policyChangeProposed(let content): content
    case .policySet(let content): content
    case .fraudScoreRecorded(let content): content
    case .riskScoreRecorded(let content): content
    case .amlScoreRecorded(let content): content
    case .sanctionsListImported(let content): content
    case .sanctionsEntryAdded(let content): content
    case .sanctionsEntryChanged(let content): content
    case .sanctionsEntryRemoved(let content): content
    case .sanctionsMatchProposed(let content): content
    case .sanctionsMatchConfirmed(let content): content
    case .sanctionsMatchCleared(let content): content
    case .commandDeclined(let content): content
    case .accessRefused(let content): content
    case .customerDataRead(let content): content
    }
  }

  /// The event's type in the contract, `TransferPosted`.
  public var type: String { typeName.description }

  /// The same, without making a string.
  public var typeName: StaticString {
    if case .transferPosted = self { return TransferPosted.type }
    return Swift.type(of: content).type
  }

  /// The version of the payload's shape.
  public var schemaVersion: Int {
    if case .transferPosted = self { return TransferPosted.schemaVersion }
    return Swift.type(of: content).schemaVersion
  }

  /// The stream that the event belongs to.
  public func stream(command: CommandID) -> StreamID {
    // The common case first and unboxed: it is nearly all of a bank's traffic.
    if case .transferPosted(let transfer) = self { return transfer.stream(command: command) }
    return content.stream(command: command)
  }

  /// Writes the payload: one object, in canonical form.
  public func write(to writer: inout RecordWriter) {
    writer.json.beginObject()
    if case .transferPosted(let transfer) = self {
      transfer.write(to: &writer)
    } else {
      content.write(to: &writer)
    }
    writer.json.endObject()
  }
}

extension Event {
  /// Every type of event, in the order of the contract.
  public static let kinds: [any EventContent.Type] = [
    BookOpened.self, RuleSetProposed.self, RuleSetActivated.self, CustomerRegistered.self, CustomerVerified.self,
    CustomerRejected.self, CustomerSuspended.self, CustomerErased.self, AccountOpened.self, AccountFrozen.self,
    AccountUnfrozen.self,
    AccountClosed.self,
    TransferPosted.self, TransferHeldForApproval.self, TransferDeclined.self, TransferReversed.self,
    JournalPosted.self, JournalHeldForApproval.self, JournalDeclined.self, HoldPlaced.self, HoldCaptured.self,
    HoldReleased.self, HoldExpired.self, ApprovalRejected.self, LimitSet.self, PolicyChangeProposed.self,
    PolicySet.self, FraudScoreRecorded.self, RiskScoreRecorded.self, AmlScoreRecorded.self,
    SanctionsListImported.self, SanctionsEntryAdded.self, SanctionsEntryChanged.self, SanctionsEntryRemoved.self,
    SanctionsMatchProposed.self, SanctionsMatchConfirmed.self, SanctionsMatchCleared.self, CommandDeclined.self,
    AccessRefused.self, CustomerDataRead.self,
  ]

  /// Reads a payload of the current schema version and refuses fields that it doesn't have.
  ///
  /// - Returns: nil when there is no such type.
  public init?(type: String, from value: JSONValue, in context: ReadingContext) throws(JSONFault) {
    var object = try value.object()
    switch type {
    case "BookOpened": self = .bookOpened(try BookOpened(from: &object, in: context))
    case "RuleSetProposed": self = .ruleSetProposed(try RuleSetProposed(from: &object, in: context))
    case "RuleSetActivated": self = .ruleSetActivated(try RuleSetActivated(from: &object, in: context))
    case "CustomerRegistered": self = .customerRegistered(try CustomerRegistered(from: &object, in: context))
    case "CustomerVerified": self = .customerVerified(try CustomerVerified(from: &object, in: context))
    case "CustomerRejected": self = .customerRejected(try CustomerRejected(from: &object, in: context))
    case "CustomerSuspended": self = .customerSuspended(try CustomerSuspended(from: &object, in: context))
    case "CustomerErased": self = .customerErased(try CustomerErased(from: &object, in: context))
    case "AccountOpened": self = .accountOpened(try AccountOpened(from: &object, in: context))
    case "AccountFrozen": self = .accountFrozen(try AccountFrozen(from: &object, in: context))
    case "AccountUnfrozen": self = .accountUnfrozen(try AccountUnfrozen(from: &object, in: context))
    case "AccountClosed": self = .accountClosed(try AccountClosed(from: &object, in: context))
    case "TransferPosted": self = .transferPosted(try TransferPosted(from: &object, in: context))
    case "TransferHeldForApproval":
      self = .transferHeldForApproval(try TransferHeldForApproval(from: &object, in: context))
    case "TransferDeclined": self = .transferDeclined(try TransferDeclined(from: &object, in: context))
    case "TransferReversed": self = .transferReversed(try TransferReversed(from: &object, in: context))
    case "JournalPosted": self = .journalPosted(try JournalPosted(from: &object, in: context))
    case "JournalHeldForApproval":
      self = .journalHeldForApproval(try JournalHeldForApproval(from: &object, in: context))
    case "JournalDeclined": self = .journalDeclined(try JournalDeclined(from: &object, in: context))
    case "HoldPlaced": self = .holdPlaced(try HoldPlaced(from: &object, in: context))
    case "HoldCaptured": self = .holdCaptured(try HoldCaptured(from: &object, in: context))
    case "HoldReleased": self = .holdReleased(try HoldReleased(from: &object, in: context))
    case "HoldExpired": self = .holdExpired(try HoldExpired(from: &object, in: context))
    case "ApprovalRejected": self = .approvalRejected(try ApprovalRejected(from: &object, in: context))
    case "LimitSet": self = .limitSet(try LimitSet(from: &object, in: context))
    case "PolicyChangeProposed": self = .policyChangeProposed(try PolicyChangeProposed(from: &object, in: context))
    case "PolicySet": self = .policySet(try PolicySet(from: &object, in: context))
    case "FraudScoreRecorded": self = .fraudScoreRecorded(try FraudScoreRecorded(from: &object, in: context))
    case "RiskScoreRecorded": self = .riskScoreRecorded(try RiskScoreRecorded(from: &object, in: context))
    case "AmlScoreRecorded": self = .amlScoreRecorded(try AmlScoreRecorded(from: &object, in: context))
    case "SanctionsListImported": self = .sanctionsListImported(try SanctionsListImported(from: &object, in: context))
    case "SanctionsEntryAdded": self = .sanctionsEntryAdded(try SanctionsEntryAdded(from: &object, in: context))
    case "SanctionsEntryChanged": self = .sanctionsEntryChanged(try SanctionsEntryChanged(from: &object, in: context))
    case "SanctionsEntryRemoved": self = .sanctionsEntryRemoved(try SanctionsEntryRemoved(from: &object, in: context))
    case "SanctionsMatchProposed":
      self = .sanctionsMatchProposed(try SanctionsMatchProposed(from: &object, in: context))
    case "SanctionsMatchConfirmed":
      self = .sanctionsMatchConfirmed(try SanctionsMatchConfirmed(from: &object, in: context))
    case "SanctionsMatchCleared": self = .sanctionsMatchCleared(try SanctionsMatchCleared(from: &object, in: context))
    case "CommandDeclined": self = .commandDeclined(try CommandDeclined(from: &object, in: context))
    case "AccessRefused": self = .accessRefused(try AccessRefused(from: &object, in: context))
    case "CustomerDataRead": self = .customerDataRead(try CustomerDataRead(from: &object, in: context))
    default: return nil
    }
    try object.finish()
  }
}
