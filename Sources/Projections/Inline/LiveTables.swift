import Postgres

/// What the tables that decisions read are called while certain generations are live.
struct LiveTables: Hashable, Sendable {
  /// By model; a model that isn't here is in its first.
  let generations: [String: Int]

  init(_ generations: [String: Int] = [:]) { self.generations = generations }

  var book: String { name("book", of: .book) }
  var customers: String { name("customers", of: .customers) }
  var accounts: String { name("accounts", of: .accounts) }
  var balances: String { name("balances", of: .balances) }
  var holds: String { name("holds", of: .holds) }
  var approvals: String { name("approvals", of: .approvals) }
  var sanctionsLists: String { name("sanctions_lists", of: .sanctions) }
  var sanctionsEntries: String { name("sanctions_entries", of: .sanctions) }

  private func name(_ table: String, of model: InlineModel) -> String {
    Generation(generations[model.rawValue] ?? 1).table(table)
  }
}

/// The read models that decisions read, each with generations of its own.
package enum InlineModel: String, CaseIterable, Sendable {
  case book, customers, accounts, balances, holds, approvals, sanctions

  /// By their names in the first generation.
  var tables: [String] {
    switch self {
    case .sanctions: ["sanctions_lists", "sanctions_entries"]
    default: [rawValue]
    }
  }
}
