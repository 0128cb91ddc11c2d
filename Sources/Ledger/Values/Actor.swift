/// What an authenticated caller may do in general. What it may do to one account is decided with the account in hand.
public enum Role: String, Hashable, Sendable, CaseIterable {
  /// Sees and debits only what is its own.
  case customer
  /// A person of the bank.
  case `operator`
  /// A machine of the bank: payment rails, card processing, analytics' write-back.
  case service
  /// Reads everything, changes nothing.
  case auditor
  /// Kauri itself: opening the book, expiring holds.
  case system
}

/// Who gave a command.
public struct Actor: Hashable, Sendable, CustomStringConvertible {
  public static let subjectLengthMaximum = 128

  public let role: Role
  /// The token's `sub`: a customer's id for a customer, otherwise whatever the bank's identity provider calls the
  /// person or service.
  public let subject: String

  /// - Returns: nil when the subject is empty, too long, or holds anything but visible ASCII characters.
  public init?(role: Role, subject: String) {
    let bytes = subject.utf8
    guard !bytes.isEmpty, bytes.count <= Actor.subjectLengthMaximum,
      bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    self.role = role
    self.subject = subject
  }

  private init(system subject: StaticString) {
    self.role = .system
    self.subject = subject.description
  }

  /// Kauri acting by itself, as when a hold's time has come.
  public static let kauri = Actor(system: "kauri")

  /// The customer that this actor is, when it is one.
  public var customer: CustomerID? {
    role == .customer ? Identifier(subject) : nil
  }

  /// The form kept in the log: `role:subject`.
  public var description: String { "\(role.rawValue):\(subject)" }

  /// Reads the form kept in the log.
  public init?(recorded: String) {
    guard let colon = recorded.firstIndex(of: ":"), let role = Role(rawValue: String(recorded[..<colon]))
    else { return nil }
    self.init(role: role, subject: String(recorded[recorded.index(after: colon)...]))
  }
}
