import Ledger

func decideOpenBook(_ open: OpenBook, on state: borrowing BookState) -> Decision {
  if state.book != nil { return .decline(.openBook(open), .bookAlreadyOpen) }
  return .accept(.bookOpened(BookOpened(instruction: open)))
}

/// A person's proposal waits for a second one.
func decideActivateRuleSet(
  _ activate: ActivateRuleSet, _ actor: Actor, on state: borrowing BookState
) -> Decision {
  let instruction = Instruction.activateRuleSet(ActivateRuleSet(ruleSet: activate.ruleSet))
  guard let book = state.book, activate.ruleSet > book.ruleSet else {
    return .decline(instruction, .ruleSetNotNewer, [.integer("active", state.book?.ruleSet ?? 0)])
  }
  if let newest = activate.newestKnown, activate.ruleSet > newest {
    return .decline(
      instruction, .ruleSetNotKnown,
      [.integer("rule_set", activate.ruleSet), .integer(ActivateRuleSet.newestKnownFigure, newest)])
  }
  if actor.role == .system {
    return .accept(.ruleSetActivated(RuleSetActivated(bookID: book.id, ruleSet: activate.ruleSet)))
  }
  return .accept(.ruleSetProposed(RuleSetProposed(bookID: book.id, ruleSet: activate.ruleSet)))
}

func decideSetLimit(_ limit: SetLimit, on state: borrowing BookState) -> Decision {
  let instruction = Instruction.setLimit(limit)
  guard let subject = resolve(limit.subject, on: state) else { return .decline(instruction, .unknownSubject) }
  if let erased = declinedAsErased(subject, instruction, on: state) { return erased }
  if subject.kind == .account, let account = state.accounts[subject.id], account.currency != limit.currency {
    return .decline(
      instruction, .currencyMismatch,
      [.text("account_currency", account.currency.code), .text("currency", limit.currency.code)])
  }
  return .accept(.limitSet(LimitSet(limit, subject: subject)))
}

func decideSetPolicy(_ policy: SetPolicy, on state: borrowing BookState) -> Decision {
  guard let book = state.book else { return .decline(.setPolicy(policy), .wrongState) }
  return .accept(.policyChangeProposed(PolicyChangeProposed(bookID: book.id, change: policy.change)))
}

/// How far another machine's clock may be ahead of the log's, in microseconds.
private let clockToleranceMicroseconds: Int64 = 300_000_000

func decideScore(
  _ report: ScoreReport, _ kind: ScoreKind, _ instruction: Instruction, on state: borrowing BookState,
  in context: DecisionContext
) -> Decision {
  guard let subject = resolve(report.subject, on: state) else { return .decline(instruction, .unknownSubject) }
  // Every later score would be older than this one, and it would never be too old.
  guard report.scoredAt.microseconds <= context.moment.microseconds + clockToleranceMicroseconds else {
    return .decline(
      instruction, .scoredInFuture,
      [.text("scored_at", report.scoredAt.description), .text("moment", context.moment.description)])
  }
  if let erased = declinedAsErased(subject, instruction, on: state) { return erased }
  let held =
    switch subject.kind {
    case .customer: state.customers[subject.id]?.scores[kind]
    case .account: state.accounts[subject.id]?.scores[kind]
    }
  let terms = ScoreTerms(report, subject: subject, superseded: held.map { report.scoredAt < $0.scoredAt } ?? false)
  switch kind {
  case .fraud: return .accept(.fraudScoreRecorded(FraudScoreRecorded(terms: terms)))
  case .risk: return .accept(.riskScoreRecorded(RiskScoreRecorded(terms: terms)))
  case .aml: return .accept(.amlScoreRecorded(AmlScoreRecorded(terms: terms)))
  }
}

func decideImport(_ imported: ImportSanctionsList, on state: borrowing BookState) -> Decision {
  let held = state.lists[imported.list]
  if let held, imported.version <= held.list {
    return .decline(
      .importSanctionsList(imported), .versionNotNewer,
      [.text("held", held.list.text), .text("version", imported.version.text)])
  }
  let before = held?.entries ?? [:]
  var changes: [Event] = []
  var (added, changed) = (0, 0)
  for entry in imported.entries {
    switch before[entry.id] {
    case nil:
      changes.append(.sanctionsEntryAdded(SanctionsEntryAdded(list: imported.list, entry: entry)))
      added += 1
    case entry: break
    default:
      changes.append(.sanctionsEntryChanged(SanctionsEntryChanged(list: imported.list, entry: entry)))
      changed += 1
    }
  }
  let kept = Set(imported.entries.map(\.id))
  let removed = before.keys.filter { !kept.contains($0) }.sorted()
  for id in removed {
    changes.append(.sanctionsEntryRemoved(SanctionsEntryRemoved(list: imported.list, entryID: id)))
  }
  let summary = SanctionsListImported(
    list: imported.list, version: imported.version, entries: imported.entries.count, added: added, changed: changed,
    removed: removed.count)
  return .record([.sanctionsListImported(summary)] + changes, .accepted)
}

func decideMatch(
  _ finding: MatchFinding, _ decision: MatchDecision, _ instruction: Instruction, on state: borrowing BookState
) -> Decision {
  guard let customer = state.customers[finding.customerID] else {
    return .decline(instruction, .unknownCustomer, [.text("customer_id", finding.customerID.description)])
  }
  if customer.status == .erased {
    return .decline(
      instruction, .wrongState, [.text("status", customer.status.rawValue)], subject: finding.customerID)
  }
  if decision == .clear, !customer.sanctionsMatch {
    return .decline(instruction, .wrongState, [.text("sanctions_match", "none")], subject: finding.customerID)
  }
  if decision == .confirm, customer.sanctionsMatch {
    return .decline(instruction, .wrongState, [.text("sanctions_match", "confirmed")], subject: finding.customerID)
  }
  var owned = finding
  owned.reason = finding.reason?.owned(by: finding.customerID)
  return .accept(.sanctionsMatchProposed(SanctionsMatchProposed(finding: owned, decision: decision)))
}

/// Nothing more is learned about a customer that has been erased.
private func declinedAsErased(
  _ subject: ResolvedSubject, _ instruction: Instruction, on state: borrowing BookState
) -> Decision? {
  guard subject.kind == .customer, let customer = state.customers[subject.id], customer.status == .erased else {
    return nil
  }
  return .decline(instruction, .wrongState, [.text("status", customer.status.rawValue)])
}

/// A customer's id, an account's id, or an account number: whichever the book knows.
private func resolve(_ reference: AccountReference, on state: borrowing BookState) -> ResolvedSubject? {
  if case .id(let id) = reference, state.customers[id] != nil {
    return ResolvedSubject(.customer, id, from: reference)
  }
  return state.account(reference).map { ResolvedSubject(.account, $0.id, from: reference) }
}
