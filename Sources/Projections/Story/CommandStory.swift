public import Commands
public import Ledger

/// Why a command was decided as it was: what was asked, on which grounds, who agreed, and what became of it.
///
/// Everything is taken from the log: the command's own events, which keep the figures of every check, and what the log
/// before them says of the policies, customers, scores and lists of that moment.
public struct CommandStory: Sendable {
  /// What the command said.
  public var instruction: Instruction
  /// Its events, in order.
  public var events: [AppendedEvent]
  public var verdict: Verdict
  /// Every check that was made, in order, with its figures.
  public var checks: [Check]
  /// The IANA name of the zone that the book date is a day of.
  public var timeZone: String
  /// The policies in force when it was decided.
  public var policies: Policies
  /// The accounts and customers that it is about, as they were.
  public var parties: [StoryParty]
  /// The sanctions lists in force when it was decided.
  public var lists: [StoryList]
  public var approval: StoryApproval?
  /// What had happened before to the thing that it is about: the transfer that it reverses, the hold that it captures.
  public var earlier: [AppendedEvent]
  /// What has happened to it since.
  public var later: [AppendedEvent]

  /// Where it stands in the log.
  public var origin: EventOrigin { events[0].origin }
  public var lastPosition: Int64 { events[events.count - 1].origin.position }
}

/// An account or a customer as a decision read it.
public struct StoryParty: Sendable {
  public var kind: SubjectKind
  public var id: Identifier
  public var status: String
  /// The account's owner.
  public var customerID: CustomerID?
  /// Two people agreed that the customer is on a sanctions list; nil for an account.
  public var sanctionsMatch: Bool?
  /// The newest score of each kind.
  public var scores: Scores
  /// By currency; an account has one.
  public var limits: [Currency: Limits]
}

/// A list as it was in force.
public struct StoryList: Hashable, Sendable {
  public var name: String
  public var version: ListVersion
  /// Of the import's first event.
  public var position: Int64
}

/// The second person's part.
public struct StoryApproval: Sendable {
  public enum Outcome: String, Sendable { case waiting, approved, rejected }

  /// The command that waited.
  public var commandID: CommandID
  public var maker: Actor
  /// The event that says what waited.
  public var held: EventOrigin
  public var outcome: Outcome
  /// The second person's command, and who that was; nil while it waits.
  public var decision: EventOrigin?
}
