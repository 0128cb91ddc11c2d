import ArgumentParser
import Ledger

/// What can be measured.
enum BenchTarget: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// The handler, the writer and Postgres, in this process.
  case engine
  /// Batches of NDJSON over HTTP.
  case batch
  /// One transfer a request.
  case single
  /// Balances read over HTTP.
  case read
  /// The balances made anew from the log, alone and beside a writer.
  case rebuild

  /// Whether it needs no server, and is better measured where there is none.
  var isOfTheDatabase: Bool { self == .engine || self == .rebuild }
}

/// How it is measured.
struct BenchSettings: Sendable {
  var accounts: Int
  var transfers: Int
  /// Requests a second, nil for as fast as they are answered.
  var rate: Double?
  var batch: Int
  /// Nil for what suits the target.
  var connections: Int?
  var hotShare: Int
  var declineShare: Int
  /// Events that the log shall have before anything is measured.
  var preload: Int
  var rounds: Int
  var cachedAccounts: Int?
  var seed: UInt64
  var rivalSeconds: Int

  func connections(for target: BenchTarget) -> Int {
    connections ?? (target == .batch || target.isOfTheDatabase ? 4 : 64)
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("accounts", integer: accounts)
    writer.field("transfers", integer: transfers)
    writer.field("rate", integer: rate.map { Int($0) })
    writer.field("batch", integer: batch)
    writer.field("connections", integer: connections)
    writer.field("hot_share_percent", integer: hotShare)
    writer.field("decline_share_percent", integer: declineShare)
    writer.field("preloaded_events", integer: preload)
    writer.field("rounds", integer: rounds)
    writer.field("cached_accounts", integer: cachedAccounts)
    writer.field("seed", integer: Int64(bitPattern: seed))
    writer.endObject()
  }

  var text: String {
    var words = [
      "\(accounts.grouped) accounts", "\(transfers.grouped) operations a round", "\(rounds) rounds",
      "batches of \(batch)",
    ]
    if let rate { words.append("\(Int(rate).grouped) a second") }
    if hotShare > 0 { words.append("\(hotShare) % to one account") }
    if declineShare > 0 { words.append("\(declineShare) % declined") }
    if preload > 0 { words.append("\(preload.grouped) events before") }
    if let cachedAccounts {
      words.append(cachedAccounts == 0 ? "no cache" : "\(cachedAccounts.grouped) cached accounts")
    }
    return words.joined(separator: ", ")
  }
}
