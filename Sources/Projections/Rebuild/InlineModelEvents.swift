import Ledger

/// Which part of the fold each read model is.
extension InlineModel {
  /// The types of events that the model's part of the fold depends on. Whatever else a type changes is in other models.
  var eventTypes: Set<String> {
    let types: [StaticString] =
      switch self {
      case .book:
        [
          BookOpened.type, RuleSetProposed.type, RuleSetActivated.type, PolicyChangeProposed.type, PolicySet.type,
          ApprovalRejected.type,
        ]
      case .customers:
        [
          CustomerRegistered.type, CustomerVerified.type, CustomerRejected.type, CustomerSuspended.type,
          CustomerErased.type,
          AccountOpened.type, LimitSet.type, FraudScoreRecorded.type, RiskScoreRecorded.type, AmlScoreRecorded.type,
          SanctionsMatchProposed.type, SanctionsMatchConfirmed.type, SanctionsMatchCleared.type, ApprovalRejected.type,
        ]
      case .accounts:
        [
          AccountOpened.type, AccountFrozen.type, AccountUnfrozen.type, AccountClosed.type, CustomerErased.type,
          LimitSet.type,
          FraudScoreRecorded.type, RiskScoreRecorded.type, AmlScoreRecorded.type,
        ]
      case .balances:
        [
          AccountOpened.type, TransferPosted.type, TransferHeldForApproval.type, TransferReversed.type,
          JournalPosted.type, JournalHeldForApproval.type, HoldPlaced.type, HoldCaptured.type, HoldReleased.type,
          HoldExpired.type, ApprovalRejected.type,
        ]
      case .holds: [HoldPlaced.type, HoldCaptured.type, HoldReleased.type, HoldExpired.type]
      case .approvals:
        [
          TransferPosted.type, TransferHeldForApproval.type, JournalPosted.type, JournalHeldForApproval.type,
          PolicyChangeProposed.type, PolicySet.type, RuleSetProposed.type, RuleSetActivated.type,
          SanctionsMatchProposed.type, SanctionsMatchConfirmed.type, SanctionsMatchCleared.type, ApprovalRejected.type,
        ]
      case .sanctions:
        [
          SanctionsListImported.type, SanctionsEntryAdded.type, SanctionsEntryChanged.type, SanctionsEntryRemoved.type,
        ]
      }
    return Set(types.map(\.description))
  }

  /// Lets go of what the fold keeps for other models, so that memory grows with this one's rows and not with the log.
  func forgetOthers(_ state: inout BookState) {
    if self != .accounts, self != .balances { state.accounts.removeAll(keepingCapacity: true) }
    if self != .customers { state.customers.removeAll(keepingCapacity: true) }
    if self != .holds { state.holds.removeAll(keepingCapacity: true) }
    if self != .sanctions { state.lists.removeAll(keepingCapacity: true) }
    // What was decided about something that waited can be said once.
    if self != .approvals { state.approvals = state.approvals.filter { $0.value.status == .waiting } }
    state.numbers.removeAll(keepingCapacity: true)
    state.touched = rowsOnly(state.touched)
  }

  private func rowsOnly(_ touched: BookState.Touched) -> BookState.Touched {
    var own = BookState.Touched()
    switch self {
    case .book: own.book = touched.book
    case .customers: own.customers = touched.customers
    case .accounts: own.accounts = touched.accounts
    case .balances: own.balances = touched.balances
    case .holds: own.holds = touched.holds
    case .approvals: own.approvals = touched.approvals
    case .sanctions:
      own.lists = touched.lists
      own.removedEntries = touched.removedEntries
    }
    return own
  }

  /// The keys of the rows that are no longer what they were, where a row has a key of its own.
  func keys(of touched: BookState.Touched) -> Set<Identifier> {
    switch self {
    case .customers: touched.customers
    case .accounts: touched.accounts
    case .balances: touched.balances
    case .holds: touched.holds
    case .approvals: touched.approvals
    case .book, .sanctions: []
    }
  }

  /// The rows that are no longer what they were.
  func rows(of touched: BookState.Touched) -> WrittenRows {
    switch self {
    case .book: return touched.book ? .any : .none
    case .sanctions: return touched.lists.isEmpty ? .none : .any
    case .customers, .accounts, .balances, .holds, .approvals:
      let keys = keys(of: touched)
      return keys.isEmpty ? .none : .keys(keys)
    }
  }
}
