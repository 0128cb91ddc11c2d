public import Ledger

/// An account at a point of the past, whole.
public struct AccountPast: Sendable {
  /// Holds that are listed, at most.
  public static let holdsMaximum = 1_000

  /// With what was posted and held, its state and its scores.
  public var account: Account
  /// Its customer, with the customer's scores; nil for one of the bank's own.
  public var customer: Customer?
  public var limits: LimitsReading
  /// Those that were active, in the order of their ids.
  public var holds: [Hold]
  /// Whether there were more than are listed.
  public var hasMoreHolds: Bool

  public init(
    account: Account, customer: Customer?, limits: LimitsReading, holds: [Hold], hasMoreHolds: Bool
  ) {
    self.account = account
    self.customer = customer
    self.limits = limits
    self.holds = holds
    self.hasMoreHolds = hasMoreHolds
  }
}
