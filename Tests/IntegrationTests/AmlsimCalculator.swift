import FoundationEssentials

/// What the commands of an AMLSim file must come to, worked out by somebody who knows nothing of Kauri.
struct AmlsimCalculator {
  private struct Line: Decodable {
    struct Content: Decodable {
      let account_id, debit_account_id, credit_account_id, amount: String?
      let allow_negative: Bool?
    }
    let command, id: String
    let data: Content
  }

  private(set) var balances: [String: Int] = [:]
  /// By the command's id: why it must be declined.
  private(set) var declines: [String: String] = [:]
  private(set) var count = 0

  init(_ file: String) throws {
    var unlimited: Set<String> = []
    for text in try Data(contentsOf: URL(filePath: file)).split(separator: UInt8(ascii: "\n")) {
      let line = try JSONDecoder().decode(Line.self, from: text)
      count += 1
      if line.command == "OpenAccount", let account = line.data.account_id {
        balances[account] = 0
        if line.data.allow_negative == true { unlimited.insert(account) }
      }
      guard line.command == "PostTransfer", let from = line.data.debit_account_id, let to = line.data.credit_account_id,
        let amount = line.data.amount.flatMap({ Int($0) })
      else { continue }
      if from == to {
        declines[line.id] = "same_account"
      } else if balances[from, default: 0] < amount, !unlimited.contains(from) {
        declines[line.id] = "insufficient_funds"
      } else {
        balances[from, default: 0] -= amount
        balances[to, default: 0] += amount
      }
    }
  }
}
