/// How a command names an account: by its id, or by its account number, which is accepted wherever an id is.
public enum AccountReference: Hashable, Sendable {
  case id(AccountID)
  case number(AccountNumber)
}

/// A debit takes from a customer's account, a credit gives to it: both words are the customer's, not the bank's.
public enum Direction: String, Hashable, Sendable, CaseIterable {
  case debit
  case credit
}

/// How a movement was asked for; the regulator's triggers depend on it.
public enum Channel: String, Hashable, Sendable, CaseIterable {
  case online, branch, card, cash, international
}
