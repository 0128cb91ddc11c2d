import Foundation
import Ledger

/// A second, slow calculator of balances: it reads nothing but the JSON of events, shares no code with the book's
/// state, and keeps everything for ever.
package struct NaiveLedger: Sendable {
  package struct Account: Sendable {
    package var customer: String?
    package var currency: String
    package var overdraft: Int128
    package var allowNegative: Bool
    package var status = "open"
    package var posted: Int128 = 0
    package var held: Int128 = 0
    /// By date of use.
    package var used: [String: Int128] = [:]
  }

  /// Money set aside: for each account how much, and the date it counts for.
  private typealias Reservation = (debits: [String: Int128], date: String)

  package struct Unreadable: Error {
    let what: String
  }

  package private(set) var accounts: [String: Account] = [:]
  /// What each customer stands as.
  package private(set) var customers: [String: String] = [:]
  private var waiting: [String: Reservation] = [:]
  private var holds: [String: Reservation] = [:]
  private var transfers: [String: (debit: String, credit: String, amount: Int128, date: String)] = [:]

  package init() {}

  /// The holds on an account that haven't ended, with their amounts.
  package func activeHolds(on account: String) -> [String: Int128] {
    holds.compactMapValues { $0.debits[account] }
  }

  package mutating func read(type: String, payload: [UInt8], command: String, date: String) throws {
    guard let event = try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] else {
      throw Unreadable(what: type)
    }
    let approved = (event["approval"] as? [String: Any])?["command_id"] as? String
    switch type {
    case "AccountOpened":
      accounts[try text(event, "account_id")] = Account(
        customer: event["customer_id"] as? String, currency: try text(event, "currency"),
        overdraft: event["overdraft"] == nil ? 0 : try amount(event, "overdraft"),
        allowNegative: event["allow_negative"] as? Bool ?? false)
    case "TransferPosted":
      try postTransfer(event, approved, date)
    case "JournalPosted":
      let changes = try net(event)
      if let approved { try settle(approved) } else { use(debits(changes), date) }
      for (account, change) in changes { accounts[account]?.posted += change }
    case "TransferHeldForApproval":
      waiting[command] = try reserve([text(event, "debit_account_id"): amount(event, "amount")], date)
    case "JournalHeldForApproval":
      waiting[command] = try reserve(debits(net(event)), date)
    case "ApprovalRejected":
      if let approved, let reservation = waiting.removeValue(forKey: approved) { giveBack(reservation) }
    case "TransferReversed":
      guard let transfer = transfers.removeValue(forKey: try text(event, "transfer_id")) else {
        throw Unreadable(what: "a reversal of nothing")
      }
      accounts[transfer.credit]?.posted -= transfer.amount
      accounts[transfer.debit]?.posted += transfer.amount
      accounts[transfer.debit]?.used[transfer.date, default: 0] -= transfer.amount
    case "HoldPlaced":
      holds[try text(event, "hold_id")] = try reserve([text(event, "account_id"): amount(event, "amount")], date)
    case "HoldReleased", "HoldExpired":
      giveBack(try hold(event))
    case "HoldCaptured":
      let reservation = try hold(event)
      giveBack(reservation)
      let captured = try amount(event, "amount")
      for account in reservation.debits.keys { accounts[account]?.posted -= captured }
      use(reservation.debits.mapValues { _ in captured }, reservation.date)
      accounts[try text(event, "credit_account_id")]?.posted += captured
    default: try readRegister(type, event)
    }
  }

  private mutating func readRegister(_ type: String, _ event: [String: Any]) throws {
    switch type {
    case "AccountFrozen": accounts[try text(event, "account_id")]?.status = "frozen"
    case "AccountUnfrozen": accounts[try text(event, "account_id")]?.status = "open"
    case "AccountClosed": accounts[try text(event, "account_id")]?.status = "closed"
    case "CustomerRegistered", "CustomerVerified", "CustomerRejected", "CustomerSuspended", "CustomerErased":
      customers[try text(event, "customer_id")] = type.dropFirst("Customer".count).lowercased()
    default: break
    }
  }

  private mutating func postTransfer(_ event: [String: Any], _ approved: String?, _ date: String) throws {
    let debit = try text(event, "debit_account_id")
    let credit = try text(event, "credit_account_id")
    let amount = try amount(event, "amount")
    let usedOn = try approved.map { try settle($0) } ?? date
    if approved == nil { use([debit: amount], date) }
    accounts[debit]?.posted -= amount
    accounts[credit]?.posted += amount
    transfers[try text(event, "transfer_id")] = (debit, credit, amount, usedOn)
  }

  // MARK: Reservations

  private mutating func reserve(_ debits: [String: Int128], _ date: String) -> Reservation {
    for (account, amount) in debits { accounts[account]?.held += amount }
    use(debits, date)
    return (debits, date)
  }

  /// What waited goes ahead: it is held no more, and stays used.
  @discardableResult
  private mutating func settle(_ command: String) throws -> String {
    guard let reservation = waiting.removeValue(forKey: command) else {
      throw Unreadable(what: "an approval of nothing")
    }
    for (account, amount) in reservation.debits { accounts[account]?.held -= amount }
    return reservation.date
  }

  private mutating func giveBack(_ reservation: Reservation) {
    for (account, amount) in reservation.debits { accounts[account]?.held -= amount }
    use(reservation.debits.mapValues { -$0 }, reservation.date)
  }

  private mutating func use(_ debits: [String: Int128], _ date: String) {
    for (account, amount) in debits { accounts[account]?.used[date, default: 0] += amount }
  }

  private mutating func hold(_ event: [String: Any]) throws -> Reservation {
    guard let reservation = holds.removeValue(forKey: try text(event, "hold_id")) else {
      throw Unreadable(what: "the end of no hold")
    }
    return reservation
  }

  // MARK: Fields

  private func text(_ event: [String: Any], _ key: String) throws -> String {
    guard let text = event[key] as? String else { throw Unreadable(what: key) }
    return text
  }

  private func amount(_ event: [String: Any], _ key: String) throws -> Int128 {
    guard let amount = Int128(try text(event, key)) else { throw Unreadable(what: key) }
    return amount
  }

  private func net(_ event: [String: Any]) throws -> [String: Int128] {
    var net: [String: Int128] = [:]
    for posting in event["postings"] as? [[String: Any]] ?? [] {
      let amount = try amount(posting, "amount")
      let sign: Int128 = posting["direction"] as? String == "debit" ? -1 : 1
      net[try text(posting, "account_id"), default: 0] += sign * amount
    }
    return net
  }

  private func debits(_ net: [String: Int128]) -> [String: Int128] {
    net.filter { $0.value < 0 }.mapValues { -$0 }
  }
}
