import Commands
import Ledger
import LocalStack
import Postgres
import Testing

/// Customers to erase, in a book that keeps nobody for longer.
struct ErasureWorld {
  let book: ServedBook
  let customers: [CustomerID]

  static let name = "Hinemoa Parata"

  static func run(
    servers: Int, customers count: Int, _ body: (ErasureWorld) async throws -> Void
  ) async throws {
    try await ServedBook.run(servers: Array(repeating: [], count: servers), accounts: 1) { book in
      try await body(ErasureWorld(on: book, count: count))
    }
  }

  private init(on book: ServedBook, count: Int) async throws {
    self.book = book
    customers = (0..<count).map { Identifier(high: 0xE7A5E, low: UInt64($0) + 1) }
    let proposal = ErasureWorld.give(.setPolicy(SetPolicy(change: .retentionDays(0))))
    try await accept(proposal)
    try await accept(ErasureWorld.give(.approve(Approve(commandID: proposal.id)), by: Teller.staff[1]))
    for customer in customers {
      try await accept(
        ErasureWorld.give(
          .registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText(ErasureWorld.name)))))
    }
  }

  static func give(_ instruction: Instruction, by actor: Actor = Teller.staff[0]) -> CommandEnvelope {
    let id = Identifier(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    return CommandEnvelope(id: id, actor: actor, instruction: instruction)
  }

  static func erase(_ customer: CustomerID) -> CommandEnvelope {
    give(.eraseCustomer(EraseCustomer(customerID: customer, reason: PersonalText("request 17"))))
  }

  func accept(_ command: CommandEnvelope, _ place: SourceLocation = #_sourceLocation) async throws {
    let outcome = await book.clients.settle(command, at: 0)
    try #require(outcome?.outcome == "accepted", "\(command.instruction.name)", sourceLocation: place)
  }

  /// What a server shows of a customer.
  func shown(_ customer: CustomerID, at server: BankServer) async throws -> String {
    guard case .answered(let answer) = await book.clients.get("/v1/customers/\(customer)", at: server),
      answer.status == 200
    else { throw LocalStackError.failed("the customer wasn't shown", detail: server.errors.joined()) }
    return String(decoding: answer.body, as: UTF8.self)
  }

  static let erasedName = #""name":{"erased":true}"#

  // MARK: The database

  struct Traces: Equatable, CustomStringConvertible {
    var event: Bool
    var key: Bool
    var tombstone: Bool
    var status: String

    static let erased = Traces(event: true, key: false, tombstone: true, status: "erased")
    static let untouched = Traces(event: false, key: true, tombstone: false, status: "registered")

    var description: String { "event \(event), key \(key), tombstone \(tombstone), \(status)" }
  }

  /// What there is of a customer, in one snapshot.
  func traces(of customer: CustomerID, in database: String = LocalStack.database) async throws -> Traces {
    try await administer(database) { session in
      let rows = try session.execute(
        """
        select exists (select from events where stream_id = $1 and type = 'CustomerErased'),
          exists (select from personal_keys where subject = $1),
          exists (select from erased_subjects where subject = $1), (select status from customers where customer_id = $1)
        """, [.uuid(customer.high, customer.low)])
      return Traces(
        event: try rows.bool(0, 0), key: try rows.bool(0, 1), tombstone: try rows.bool(0, 2),
        status: try rows.textOrNil(0, 3) ?? "unknown")
    }
  }

  func administer<Value: Sendable>(
    _ database: String = LocalStack.database, _ body: @Sendable (Session) throws -> Value
  ) async throws -> Value {
    try await RecordedBook(conninfo: book.cluster.conninfo(user: "postgres", database: database)).read(body)
  }
}
