public import Ledger
public import Postgres

/// Who of the bank saw whose data, and who was refused what.
public struct AccessLogModel: AsyncReadModel {
  public static let name = "access_log"
  public static let eventTypes: Set<String> = Set(
    [CustomerDataRead.type, AccessRefused.type].map(\.description))

  /// Nothing: a row stands for itself.
  public struct Memory: Sendable {}

  public init() {}

  public var emptyMemory: Memory { Memory() }

  public func changes(for recorded: RecordedEvent) -> [AccessRecord] {
    let origin = recorded.origin
    func record(
      _ kind: AccessRecord.Kind, _ resource: String, object: Identifier?, customer: CustomerID? = nil
    ) -> [AccessRecord] {
      [
        AccessRecord(
          position: origin.position, kind: kind, actor: origin.actor, customerID: customer, resource: resource,
          objectID: object, moment: origin.moment)
      ]
    }
    switch recorded.event {
    case .customerDataRead(let read):
      return record(
        .read, read.instruction.resource, object: read.instruction.objectID, customer: read.instruction.customerID)
    case .accessRefused(let refused):
      guard case .recordRefusal(let refusal) = refused.instruction else {
        return record(.refused, refused.instruction.name, object: nil)
      }
      return record(.refused, refusal.resource, object: refusal.objectID)
    default: return []
    }
  }

  public func apply(
    _ records: [AccessRecord], to generation: Generation, remembering memory: inout Memory, _ session: Session
  ) throws {
    guard !records.isEmpty else { return }
    var positions = ArrayBuilder.int8(reserving: records.count)
    var kinds = ArrayBuilder.text(reserving: records.count)
    var actors = ArrayBuilder.text(reserving: records.count)
    var customers = ArrayBuilder.uuid(reserving: records.count)
    var resources = ArrayBuilder.text(reserving: records.count, bytesEach: 32)
    var objects = ArrayBuilder.uuid(reserving: records.count)
    var moments = ArrayBuilder.timestamptz(reserving: records.count)
    for record in records {
      positions.append(record.position)
      kinds.append(record.kind.rawValue)
      actors.append(record.actor.description)
      customers.append(record.customerID)
      resources.append(record.resource)
      objects.append(record.objectID)
      moments.append(microsecondsSince1970: record.moment.microseconds)
    }
    try session.copyIn(
      into: generation.table("access_log"),
      [
        ("position", positions.parameter), ("kind", kinds.parameter), ("actor", actors.parameter),
        ("customer_id", customers.parameter), ("resource", resources.parameter), ("object_id", objects.parameter),
        ("moment", moments.parameter),
      ])
  }
}
