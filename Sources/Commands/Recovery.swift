public import Ledger

extension Instruction {
  /// What a command said, from the events that it led to: the log holds every command whole, declined ones too.
  ///
  /// - Parameters:
  ///   - events: all events of one command, in their order.
  ///   - state: the book before them. Only an accepted list import needs it, for the entries that it left as they were.
  public init?(recoveredFrom events: [Event], on state: borrowing BookState) {
    guard let first = events.first else { return nil }
    switch first {
    case .sanctionsListImported(let imported):
      self = .importSanctionsList(
        ImportSanctionsList(imported, changes: events.dropFirst(), before: state.lists[imported.list]?.entries ?? [:]))
    default:
      guard let instruction = Instruction(recoveredFrom: first) else { return nil }
      self = instruction
    }
  }

  private init?(recoveredFrom event: Event) {
    switch event {
    case .bookOpened(let event): self = .openBook(event.instruction)
    case .ruleSetProposed(let event): self = .activateRuleSet(ActivateRuleSet(accepted: event.ruleSet))
    case .ruleSetActivated(let event):
      self =
        event.approval.map(Instruction.approve) ?? .activateRuleSet(ActivateRuleSet(accepted: event.ruleSet))
    case .customerRegistered(let event): self = .registerCustomer(event.instruction)
    case .customerVerified(let event): self = .verifyCustomer(event.instruction)
    case .customerRejected(let event): self = .rejectCustomer(event.instruction)
    case .customerSuspended(let event): self = .suspendCustomer(event.instruction)
    case .customerErased(let event): self = .eraseCustomer(event.instruction)
    case .accountOpened(let event): self = .openAccount(event.instruction)
    case .accountFrozen(let event):
      self = .freezeAccount(FreezeAccount(account: event.terms.account.reference, reason: event.terms.reason))
    case .accountUnfrozen(let event):
      self = .unfreezeAccount(UnfreezeAccount(account: event.terms.account.reference, reason: event.terms.reason))
    case .accountClosed(let event):
      self = .closeAccount(CloseAccount(account: event.terms.account.reference, reason: event.terms.reason))
    case .limitSet(let event): self = .setLimit(event.instruction)
    case .policyChangeProposed(let event): self = .setPolicy(SetPolicy(change: event.change))
    case .fraudScoreRecorded(let event): self = .recordFraudScore(RecordFraudScore(report: event.terms.report))
    case .riskScoreRecorded(let event): self = .recordRiskScore(RecordRiskScore(report: event.terms.report))
    case .amlScoreRecorded(let event): self = .recordAmlScore(RecordAmlScore(report: event.terms.report))
    case .commandDeclined(let event): self = event.recoveredInstruction
    case .accessRefused(let event): self = event.instruction
    case .customerDataRead(let event): self = .recordDataRead(event.instruction)
    default:
      guard let instruction = Instruction(recoveredFromMovement: event) else { return nil }
      self = instruction
    }
  }

  /// Movements, and what a second person decided of them: an event that carries an approval came of `Approve`.
  private init?(recoveredFromMovement event: Event) {
    switch event {
    case .transferPosted(let event):
      self = event.approval.map(Instruction.approve) ?? .postTransfer(event.terms.instruction)
    case .transferHeldForApproval(let event): self = .postTransfer(event.terms.instruction)
    case .transferDeclined(let event): self = .postTransfer(event.instruction)
    case .transferReversed(let event):
      self = .reverseTransfer(ReverseTransfer(transferID: event.transferID, reason: event.reason))
    case .journalPosted(let event):
      self = event.approval.map(Instruction.approve) ?? .postJournal(event.terms.instruction)
    case .journalHeldForApproval(let event): self = .postJournal(event.terms.instruction)
    case .journalDeclined(let event): self = .postJournal(event.instruction)
    case .holdPlaced(let event): self = .placeHold(event.instruction)
    case .holdCaptured(let event): self = .captureHold(event.instruction)
    case .holdReleased(let event):
      self = .releaseHold(ReleaseHold(holdID: event.returned.holdID, reason: event.reason))
    case .holdExpired(let event): self = .expireHold(ExpireHold(holdID: event.returned.holdID))
    case .approvalRejected(let event):
      self =
        switch event.cause {
        case .rejected: .reject(Reject(commandID: event.note.commandID, reason: event.note.reason))
        case .checksFailed: .approve(event.note)
        }
    case .policySet(let event): self = .approve(event.approval)
    case .sanctionsMatchProposed(let event):
      self =
        switch event.decision {
        case .confirm: .confirmMatch(ConfirmMatch(finding: event.finding))
        case .clear: .clearMatch(ClearMatch(finding: event.finding))
        }
    case .sanctionsMatchConfirmed(let event): self = .approve(event.approval)
    case .sanctionsMatchCleared(let event): self = .approve(event.approval)
    default: return nil
    }
  }

  private static func approve(_ note: ApprovalNote) -> Instruction {
    .approve(Approve(commandID: note.commandID, reason: note.reason))
  }
}

extension ActivateRuleSet {
  /// The figure of a decline that says what the server knew which was asked.
  static let newestKnownFigure = "newest_known"

  /// One that was accepted: the server that decided it knew the set, and whoever decides it again needn't.
  fileprivate init(accepted ruleSet: Int) {
    self.init(ruleSet: ruleSet, newestKnown: ruleSet)
  }
}

extension CommandDeclined {
  /// What the command said, and what the server knew that decided it.
  fileprivate var recoveredInstruction: Instruction {
    guard case .activateRuleSet(var activate) = instruction, code == .ruleSetNotKnown else { return instruction }
    let figure = checks.first?.figures.first { $0.name == ActivateRuleSet.newestKnownFigure }
    if case .integer(let newest)? = figure?.value { activate.newestKnown = Int(newest) }
    return .activateRuleSet(activate)
  }
}

extension ImportSanctionsList {
  /// The list as it was published: what was there, with what the import added, changed and removed.
  fileprivate init(
    _ imported: SanctionsListImported, changes: ArraySlice<Event>, before: [String: SanctionsEntry]
  ) {
    var entries = before
    for change in changes {
      switch change {
      case .sanctionsEntryAdded(let added): entries[added.entry.id] = added.entry
      case .sanctionsEntryChanged(let changed): entries[changed.entry.id] = changed.entry
      case .sanctionsEntryRemoved(let removed): entries[removed.entryID] = nil
      default: break
      }
    }
    self.init(list: imported.list, version: imported.version, entries: Array(entries.values))
  }
}

extension CommandOutcome {
  /// The outcome of a command that stands in the log.
  ///
  /// - Parameter events: all events of one command, in their order; nil comes back for none.
  public init?(recorded events: [AppendedEvent]) {
    guard let first = events.first else { return nil }
    self.init(
      commandID: first.origin.commandID, command: first.event.commandName, verdict: Verdict(recorded: first.event),
      events: events)
  }
}

extension Event {
  /// How many events a command led to whose first event this is. Only an accepted import of a list leads to more than
  /// one, and its first says how many changes follow.
  public var eventsOfItsCommand: Int {
    guard case .sanctionsListImported(let imported) = self else { return 1 }
    return [imported.added, imported.changed, imported.removed].reduce(1) {
      $0.addingReportingOverflow($1).partialValue
    }
  }
}

extension Verdict {
  /// How a command came out, from its first event.
  public init(recorded event: Event) {
    switch event {
    case .transferDeclined(let declined): self = .declined(declined.code)
    case .journalDeclined(let declined): self = .declined(declined.code)
    case .commandDeclined(let declined): self = .declined(declined.code)
    case .approvalRejected(let rejected): self = rejected.code.map { .declined($0) } ?? .accepted
    // A refusal that a reader noted is what its command was for.
    case .accessRefused(let refused):
      if case .recordRefusal = refused.instruction { self = .accepted } else { self = .refused }
    default: self = .accepted
    }
  }
}

extension Event {
  /// The name of the command that this, its first event, came of.
  public var commandName: String {
    if case .transferPosted(let posted) = self {
      return posted.approval == nil ? PostTransfer.name.description : Approve.name.description
    }
    if case .sanctionsListImported = self { return ImportSanctionsList.name.description }
    return Instruction(recoveredFrom: [self], on: BookState())?.name ?? type
  }
}
