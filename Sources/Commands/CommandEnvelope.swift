public import Ledger

/// A command as it enters the book: what it says, who says it, and the id that makes it happen once.
public struct CommandEnvelope: Hashable, Sendable {
  /// The client's `Idempotency-Key`.
  public var id: CommandID
  public var actor: Actor
  public var instruction: Instruction
  /// What ties together everything that one action outside set off; nil for the command's own id.
  public var correlation: Identifier?
  /// The command or event that led to this one, where it isn't a person's own doing.
  public var causation: Identifier?
  /// The version that the command's stream must have (`If-Match`); nil for any.
  public var expectedVersion: Int64?

  public init(
    id: CommandID, actor: Actor, instruction: Instruction, correlation: Identifier? = nil, causation: Identifier? = nil,
    expectedVersion: Int64? = nil
  ) {
    self.id = id
    self.actor = actor
    self.instruction = instruction
    self.correlation = correlation
    self.causation = causation
    self.expectedVersion = expectedVersion
  }

  /// The bytes that say whether two commands with one id are the same command: actor, name and content in canonical
  /// form.
  public func writeContent(to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.json.field("actor", actor.description)
    writer.json.field("command", instruction.name)
    instruction.write(to: &writer)
    writer.json.endObject()
  }
}
