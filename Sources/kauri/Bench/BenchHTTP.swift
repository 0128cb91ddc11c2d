import Ledger
import LocalStack

/// What is measured over HTTP.
struct BenchHTTP {
  private let stage: BenchStage
  private let load: HTTPLoad
  private let port: Int
  private let operatorToken: String
  private let serviceToken: String

  init(_ stage: BenchStage) throws {
    guard let server = stage.server, let port = server.http.split(separator: ":").last.flatMap({ Int($0) }),
      let operatorFile = server.tokens["operator"], let serviceFile = server.tokens["service"]
    else { throw BenchFault("there is no server to measure") }
    self.stage = stage
    self.port = port
    load = try HTTPLoad()
    operatorToken = try ServerAddress(url: server.http, tokenFile: operatorFile).token()
    serviceToken = try ServerAddress(url: server.http, tokenFile: serviceFile).token()
  }

  // MARK: Runs

  /// Transfers in batches of NDJSON.
  func runBatches(
    _ count: Int, of batch: Int, connections: Int, _ transfers: inout BenchTransfers,
    _ identifiers: inout TimeOrderedIdentifiers
  ) async throws -> BenchSample {
    var requests: [[UInt8]] = []
    for start in stride(from: 0, to: count, by: batch) {
      var body = JSONWriter(reserving: batch * 300)
      for _ in start..<min(start + batch, count) {
        body.beginObject()
        body.field("command", "PostTransfer")
        body.field("id", identifiers.next())
        body.key("data")
        write(transfers.next(), to: &body)
        body.endObject()
        body.endLine()
      }
      requests.append(request("POST /v1/commands", operatorToken, "application/x-ndjson", body.bytes))
    }
    let plan = HTTPLoad.Plan(port: port, requests: requests, connections: connections, rate: nil)
    return try await runCommands(plan, expecting: count)
  }

  /// Transfers one a request.
  func runSingles(
    _ count: Int, connections: Int, rate: Double?, _ transfers: inout BenchTransfers,
    _ identifiers: inout TimeOrderedIdentifiers
  ) async throws -> BenchSample {
    let requests = (0..<count).map { _ in
      var body = JSONWriter(reserving: 256)
      write(transfers.next(), to: &body)
      return request(
        "POST /v1/commands/PostTransfer", operatorToken, "application/json", body.bytes,
        more: "Idempotency-Key: \(identifiers.next())\r\n")
    }
    let plan = HTTPLoad.Plan(port: port, requests: requests, connections: connections, rate: rate)
    return try await runCommands(plan, expecting: count)
  }

  /// Reads of balances.
  func runReads(_ count: Int, connections: Int, rate: Double?, _ accounts: BenchAccounts, seed: UInt64) async throws
    -> BenchSample
  {
    var chance = SeededChance(seed: seed)
    let requests = (0..<count).map { _ in
      let account = accounts.account(chance.index(below: accounts.count))
      return request("GET /v1/accounts/\(account)/balance", serviceToken, nil, [])
    }
    return try await run(
      HTTPLoad.Plan(port: port, requests: requests, connections: connections, rate: rate), allowing: [200])
  }

  /// Requests that a route which does nothing answers, in a server of its own beside this one.
  func runBare(_ count: Int, connections: Int) async throws -> BenchSample {
    let bare = try await BareServer.start()
    let requests = Array(repeating: request("GET /bare", operatorToken, nil, []), count: count)
    let plan = HTTPLoad.Plan(port: bare.port, requests: requests, connections: connections, rate: nil)
    let result: Result<BenchSample, any Error>
    do {
      result = .success(try await run(plan, allowing: [200]))
    } catch {
      result = .failure(error)
    }
    await bare.stop()
    return try result.get()
  }

  // MARK: Making and checking

  /// Runs requests that give commands, and makes sure by the log that all of them were decided, once each.
  private func runCommands(_ plan: HTTPLoad.Plan, expecting count: Int) async throws -> BenchSample {
    let before = try await stage.head()
    var sample = try await run(plan, allowing: [200, 201, 422])
    let recorded = try await stage.head() - before
    guard recorded == Int64(count) else {
      throw BenchFault("\(count) transfers were sent, and the log has \(recorded) events more")
    }
    sample.count(count - sample.operations)
    return sample
  }

  private func run(_ plan: HTTPLoad.Plan, allowing statuses: Set<Int>) async throws -> BenchSample {
    let before = stage.serverResident
    let result = try await load.run(plan)
    for (status, count) in result.statuses where !statuses.contains(status) {
      throw BenchFault("\(count) requests were answered with status \(status)")
    }
    var sample = result.sample
    sample.count(plan.requests.count, declined: result.statuses[422] ?? 0)
    sample.residentBefore = before
    sample.residentAfter = stage.serverResident
    return sample
  }

  private func write(_ transfer: BenchTransfers.Transfer, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("debit_account_id", transfer.debit)
    writer.field("credit_account_id", transfer.credit)
    writer.field("amount", amount: transfer.amount)
    writer.field("currency", "NZD")
    writer.endObject()
  }

  private func request(
    _ line: String, _ token: String, _ type: String?, _ body: [UInt8], more: String = ""
  ) -> [UInt8] {
    var head = "\(line) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\n\(more)"
    if let type { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
    return Array("\(head)\r\n".utf8) + body
  }
}
