package import Ledger

/// What the decision on a line may read or change, as far as that bears on the order of lines.
package enum LineReach: Equatable, Sendable {
  /// These and nothing else: the ids of customers, accounts, movements, holds and commands.
  case only([OrderKey])
  /// Anything: the line names something of which the file doesn't say whose it is.
  case everything
}

/// Something that two lines may have in common.
package enum OrderKey: Hashable, Sendable {
  case id(Identifier)
  case number(AccountNumber)
}

/// Reads from each line what it reaches, with what the lines before it said.
///
/// A transfer names two accounts, but its decision also reads the customers behind them: their standing, their
/// scores, limits over all their accounts. Whose an account is stands in the line that opened it; a hold's or a
/// transfer's accounts stand in the line that made it. Where that line isn't in the file, or is too far back to be
/// remembered, the reach is everything.
package struct ReachReader: Sendable {
  private enum Party: Sendable {
    case customer
    case account(owner: CustomerID?)
  }

  private var parties: RecentMemory<Identifier, Party>
  private var numbers: RecentMemory<AccountNumber, AccountID>
  /// What the movements, holds and proposals of earlier lines reach, for those that name them.
  private var reaches: RecentMemory<Identifier, [OrderKey]>

  /// - Parameter memory: how many customers and accounts are remembered at least, and an eighth as many movements.
  package init(memory: Int = 1 << 20) {
    parties = RecentMemory(capacity: memory)
    numbers = RecentMemory(capacity: memory)
    reaches = RecentMemory(capacity: memory / 8)
  }

  /// What a line reaches. A line that can't be read is sent all the same, because the server says best what is wrong
  /// with it; another version of the server might even accept it, so it reaches everything.
  package mutating func reach(of line: [UInt8]) -> LineReach {
    guard let (id, instruction) = ReachReader.read(line), let keys = keys(of: instruction, id) else {
      return .everything
    }
    var unique: [OrderKey] = [.id(id)]
    for key in keys where !unique.contains(key) { unique.append(key) }
    return .only(unique)
  }

  private static func read(_ line: [UInt8]) -> (CommandID, Instruction)? {
    do throws(JSONFault) {
      var fields = try JSONDocument(line).root.object()
      let name = try fields.required("command").string()
      let id = try fields.required("id").identifier()
      let data = try fields.required("data")
      let context = ReadingContext(command: id, source: .client)
      guard let instruction = try Instruction(name: name, from: data, in: context) else { return nil }
      return (id, instruction)
    } catch {
      return nil
    }
  }

  /// Nil for everything.
  private mutating func keys(of instruction: Instruction, _ id: CommandID) -> [OrderKey]? {
    switch instruction {
    case .registerCustomer(let content): customer(content.customerID)
    case .verifyCustomer(let content): customer(content.customerID)
    case .rejectCustomer(let content): customer(content.customerID)
    case .suspendCustomer(let content): customer(content.customerID)
    // It reads all accounts of the customer, and the policies.
    case .eraseCustomer: nil
    case .openAccount(let content): open(content)
    case .freezeAccount(let content): account(content.change.account)
    case .unfreezeAccount(let content): account(content.change.account)
    case .closeAccount(let content): account(content.change.account)
    case .postTransfer(let content):
      remember(accounts([content.debit, content.credit]), of: [content.transferID, id])
    case .postJournal(let content):
      remember(accounts(content.postings.map(\.account)), of: [content.journalID, id])
    case .reverseTransfer(let content): reaches[content.transferID]
    case .placeHold(let content): remember(account(content.account), of: [content.holdID])
    case .captureHold(let content): joined(reaches[content.holdID], account(content.credit))
    case .releaseHold(let content): reaches[content.holdID]
    case .expireHold(let content): reaches[content.holdID]
    case .approve(let content): reaches[content.commandID]
    case .reject(let content): reaches[content.commandID]
    case .setLimit(let content): subject(content.subject)
    case .recordFraudScore(let content): subject(content.report.subject)
    case .recordRiskScore(let content): subject(content.report.subject)
    case .recordAmlScore(let content): subject(content.report.subject)
    case .confirmMatch(let content): remember(customer(content.finding.customerID), of: [id])
    case .clearMatch(let content): remember(customer(content.finding.customerID), of: [id])
    // A policy, a list or a rule is for decisions on anybody.
    case .setPolicy, .importSanctionsList, .activateRuleSet: nil
    case .openBook, .recordDataRead, .recordRefusal: nil
    }
  }

  private mutating func customer(_ id: CustomerID) -> [OrderKey] {
    if parties[id] == nil { parties.remember(.customer, for: id) }
    return [.id(id)]
  }

  private mutating func open(_ content: OpenAccount) -> [OrderKey] {
    parties.remember(.account(owner: content.customerID), for: content.accountID)
    var keys: [OrderKey] = [.id(content.accountID)]
    if let owner = content.customerID { keys += customer(owner) }
    if let number = content.number {
      numbers.remember(content.accountID, for: number)
      keys.append(.number(number))
    }
    return keys
  }

  /// An account and whose it is.
  private mutating func account(_ reference: AccountReference) -> [OrderKey]? {
    guard let id = identifier(reference), case .account(let owner) = parties[id] else { return nil }
    return owner.map { [.id(id), .id($0)] } ?? [.id(id)]
  }

  private mutating func accounts(_ references: [AccountReference]) -> [OrderKey]? {
    var all: [OrderKey] = []
    for reference in references {
      guard let keys = account(reference) else { return nil }
      all += keys
    }
    return all
  }

  /// A customer or an account.
  private mutating func subject(_ reference: AccountReference) -> [OrderKey]? {
    guard let id = identifier(reference) else { return nil }
    if case .customer = parties[id] { return [.id(id)] }
    return account(.id(id))
  }

  private mutating func identifier(_ reference: AccountReference) -> Identifier? {
    switch reference {
    case .id(let id): id
    case .number(let number): numbers[number]
    }
  }

  /// Notes what the lines reach that will name one of `ids`.
  private mutating func remember(_ keys: [OrderKey]?, of ids: [Identifier]) -> [OrderKey]? {
    guard let keys else { return nil }
    let whole = keys + Set(ids).map { .id($0) }
    for id in Set(ids) { reaches.remember(whole, for: id) }
    return whole
  }

  private func joined(_ left: [OrderKey]?, _ right: [OrderKey]?) -> [OrderKey]? {
    guard let left, let right else { return nil }
    return left + right
  }
}
