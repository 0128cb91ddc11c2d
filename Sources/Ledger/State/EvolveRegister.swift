extension BookState {
  /// Applies the events that move no money: customers, accounts, limits, policies, scores and lists.
  mutating func evolveRegister(_ event: Event, _ origin: EventOrigin) {
    switch event {
    case .bookOpened(let opened): open(opened.instruction, origin)
    case .ruleSetProposed(let proposed):
      changeBook(origin) { _ in }
      wait(.ruleSet(proposed.ruleSet), origin)
    case .ruleSetActivated(let activated):
      changeBook(origin) { $0.ruleSet = activated.ruleSet }
      if let approval = activated.approval { settle(approval.commandID, as: .approved, origin) }
    case .customerRegistered(let registered): register(registered.instruction, origin)
    case .customerVerified: stand(.verified, origin)
    case .customerRejected: stand(.rejected, origin)
    case .customerSuspended: stand(.suspended, origin)
    case .customerErased(let erased): erase(erased, origin)
    case .accountOpened(let opened): open(opened.instruction, origin)
    case .accountFrozen: changeAccount(origin.stream.id, origin) { $0.status = .frozen }
    case .accountUnfrozen: changeAccount(origin.stream.id, origin) { $0.status = .open }
    case .accountClosed:
      changeAccount(origin.stream.id, origin) {
        $0.status = .closed
        $0.closedOn = origin.bookDate
      }
    case .limitSet(let set): self.set(set, origin)
    case .policyChangeProposed(let proposed):
      changeBook(origin) { _ in }
      wait(.policy(proposed.change), origin)
    case .policySet(let set):
      changeBook(origin) { $0.policies.apply(set.change) }
      settle(set.approval.commandID, as: .approved, origin)
    case .fraudScoreRecorded(let recorded): score(recorded.terms, .fraud, origin)
    case .riskScoreRecorded(let recorded): score(recorded.terms, .risk, origin)
    case .amlScoreRecorded(let recorded): score(recorded.terms, .aml, origin)
    case .sanctionsMatchProposed(let proposed):
      changeCustomer(origin.stream.id, origin) { _ in }
      wait(.match(proposed.finding, proposed.decision), origin)
    case .sanctionsMatchConfirmed(let confirmed):
      changeCustomer(origin.stream.id, origin) { $0.sanctionsMatch = true }
      settle(confirmed.approval.commandID, as: .approved, origin)
    case .sanctionsMatchCleared(let cleared):
      changeCustomer(origin.stream.id, origin) { $0.sanctionsMatch = false }
      settle(cleared.approval.commandID, as: .approved, origin)
    default: evolveList(event, origin)
    }
  }

  private mutating func evolveList(_ event: Event, _ origin: EventOrigin) {
    switch event {
    case .sanctionsListImported(let imported):
      changeList(imported.list, origin, entry: nil) { $0.list = imported.version }
    case .sanctionsEntryAdded(let added):
      changeList(added.list, origin, entry: added.entry.id) { $0.entries[added.entry.id] = added.entry }
    case .sanctionsEntryChanged(let changed):
      changeList(changed.list, origin, entry: changed.entry.id) { $0.entries[changed.entry.id] = changed.entry }
    case .sanctionsEntryRemoved(let removed):
      if let entry = lists[removed.list]?.entries[removed.entryID] {
        touched.removedEntries[removed.list, default: [:]][removed.entryID] = entry
      }
      changeList(removed.list, origin, entry: removed.entryID) { $0.entries[removed.entryID] = nil }
    default: break
    }
  }

  private mutating func open(_ instruction: OpenBook, _ origin: EventOrigin) {
    book = Book(
      id: instruction.bookID, timeZone: instruction.timeZone, currency: instruction.currency,
      policies: instruction.policies, ruleSet: instruction.ruleSet, version: origin.version, position: origin.position)
    touched.book = true
  }

  private mutating func register(_ instruction: RegisterCustomer, _ origin: EventOrigin) {
    customers[instruction.customerID] = Customer(
      id: instruction.customerID, standingSince: origin.bookDate, name: instruction.name,
      dateOfBirth: instruction.dateOfBirth,
      country: instruction.country, version: origin.version, position: origin.position)
    touched.customers.insert(instruction.customerID)
  }

  private mutating func stand(_ status: CustomerStatus, _ origin: EventOrigin) {
    changeCustomer(origin.stream.id, origin) {
      $0.status = status
      $0.standingSince = origin.bookDate
    }
  }

  /// What was known of the person goes; what the bank did under the customer's id, and found about it, stays.
  private mutating func erase(_ erased: CustomerErased, _ origin: EventOrigin) {
    stand(.erased, origin)
    changeCustomer(origin.stream.id, origin) {
      $0.name = $0.name.erased
      $0.dateOfBirth = $0.dateOfBirth?.erased
      $0.country = nil
      $0.scores = Scores()
    }
    for id in erased.accounts {
      guard let index = accounts.index(forKey: id), let name = accounts.values[index].name else { continue }
      accounts.values[index].name = name.erased
      accounts.values[index].position = origin.position
      touched.accounts.insert(id)
    }
  }

  private mutating func open(_ instruction: OpenAccount, _ origin: EventOrigin) {
    accounts[instruction.accountID] = Account(
      id: instruction.accountID, kind: instruction.kind, customerID: instruction.customerID,
      currency: instruction.currency, name: instruction.name, number: instruction.number,
      classification: instruction.classification, overdraft: instruction.overdraft,
      allowNegative: instruction.allowNegative, balance: Balance(position: origin.position), version: origin.version,
      position: origin.position)
    touched.accounts.insert(instruction.accountID)
    touched.balances.insert(instruction.accountID)
    if let number = instruction.number { numbers[number] = instruction.accountID }
    if let customer = instruction.customerID, customers[customer] != nil {
      customers[customer]?.accounts.append(instruction.accountID)
      customers[customer]?.position = origin.position
      touched.customers.insert(customer)
    }
  }

  private mutating func set(_ set: LimitSet, _ origin: EventOrigin) {
    switch set.subject.kind {
    case .account: changeAccount(set.subject.id, origin) { $0.limits[set.kind] = set.amount }
    case .customer:
      changeCustomer(set.subject.id, origin) { customer in
        customer.limits[set.currency, default: Limits()][set.kind] = set.amount
        if customer.limits[set.currency]?.isEmpty == true { customer.limits[set.currency] = nil }
      }
    }
  }

  private mutating func score(_ terms: ScoreTerms, _ kind: ScoreKind, _ origin: EventOrigin) {
    let score = Score(value: terms.score, model: terms.model, scoredAt: terms.scoredAt)
    switch terms.subject.kind {
    case .account: changeAccount(terms.subject.id, origin) { if !terms.superseded { $0.scores[kind] = score } }
    case .customer: changeCustomer(terms.subject.id, origin) { if !terms.superseded { $0.scores[kind] = score } }
    }
  }

  private mutating func changeBook(_ origin: EventOrigin, _ change: (inout Book) -> Void) {
    guard var changed = book else { return }
    change(&changed)
    changed.version = origin.version
    changed.position = origin.position
    book = changed
    touched.book = true
  }

  private mutating func changeCustomer(_ id: CustomerID, _ origin: EventOrigin, _ change: (inout Customer) -> Void) {
    guard let index = customers.index(forKey: id) else { return }
    change(&customers.values[index])
    customers.values[index].version = origin.version
    customers.values[index].position = origin.position
    touched.customers.insert(id)
  }

  private mutating func changeAccount(_ id: AccountID, _ origin: EventOrigin, _ change: (inout Account) -> Void) {
    guard let index = accounts.index(forKey: id) else { return }
    change(&accounts.values[index])
    accounts.values[index].version = origin.version
    accounts.values[index].position = origin.position
    touched.accounts.insert(id)
  }

  private mutating func changeList(
    _ name: String, _ origin: EventOrigin, entry: String?, _ change: (inout SanctionsList) -> Void
  ) {
    var list = lists[name] ?? SanctionsList(name: name, list: ListVersion(""), version: 0, position: 0)
    // Taken out while it changes, so that its dictionary of entries is changed in place.
    lists[name] = nil
    change(&list)
    list.version = origin.version
    list.position = origin.position
    lists[name] = list
    if let entry {
      touched.lists[name, default: [:]][entry] = origin.position
    } else if touched.lists[name] == nil {
      touched.lists[name] = [:]
    }
  }
}
