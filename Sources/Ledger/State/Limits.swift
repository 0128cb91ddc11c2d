/// The limits of one customer in one currency, or of one account, in minor units. A limit that isn't set doesn't bound.
public struct Limits: Hashable, Sendable {
  public var perTransaction: MinorUnits?
  public var daily: MinorUnits?
  public var weekly: MinorUnits?
  public var monthly: MinorUnits?
  public var rolling30Days: MinorUnits?
  public var approvalThreshold: MinorUnits?

  public init() {}

  public subscript(kind: LimitKind) -> MinorUnits? {
    get {
      switch kind {
      case .perTransaction: perTransaction
      case .daily: daily
      case .weekly: weekly
      case .monthly: monthly
      case .rolling30Days: rolling30Days
      case .approvalThreshold: approvalThreshold
      }
    }
    set {
      switch kind {
      case .perTransaction: perTransaction = newValue
      case .daily: daily = newValue
      case .weekly: weekly = newValue
      case .monthly: monthly = newValue
      case .rolling30Days: rolling30Days = newValue
      case .approvalThreshold: approvalThreshold = newValue
      }
    }
  }

  public var isEmpty: Bool { self == Limits() }
}

extension LimitKind {
  /// The first book date that counts towards a limit of this kind on `date`; nil for kinds that count no past.
  public func windowStart(on date: CalendarDate) -> CalendarDate? {
    switch self {
    case .perTransaction, .approvalThreshold: nil
    case .daily: date
    case .weekly: date.startOfWeek
    case .monthly: date.startOfMonth
    case .rolling30Days: date.adding(days: -29)
    }
  }
}

/// What an account has moved out, by book date, over the days that any limit can still look at.
public struct LimitUsage: Hashable, Sendable {
  public struct Day: Hashable, Sendable {
    public var date: CalendarDate
    /// Minor units, greater than zero.
    public var amount: MinorUnits

    public init(date: CalendarDate, amount: MinorUnits) {
      self.date = date
      self.amount = amount
    }
  }

  /// The longest window is a calendar month of 31 days.
  static let daysKept: Int = 31

  /// In order of dates, none twice.
  public private(set) var days: [Day] = []

  public init() {}

  /// - Parameter days: in order of dates, none twice, as an earlier `days` had them.
  public init(days: [Day]) { self.days = days }

  /// What was used from `start` to `end`, both included; nil when the sum leaves Int64.
  public func used(from start: CalendarDate, through end: CalendarDate) -> MinorUnits? {
    var total: MinorUnits = 0
    for day in days.reversed() where day.date <= end {
      if day.date < start { break }
      let (sum, overflow) = total.addingReportingOverflow(day.amount)
      if overflow { return nil }
      total = sum
    }
    return total
  }

  /// Counts `amount` on `date` and forgets days that no window reaches any more. Saturates: a day that holds Int64's
  /// maximum is over every limit anyway, and decisions refuse what would get there.
  public mutating func use(_ amount: MinorUnits, on date: CalendarDate) {
    if let last = days.indices.last, days[last].date == date {
      let (sum, overflow) = days[last].amount.addingReportingOverflow(amount)
      days[last].amount = overflow ? .max : sum
      return
    }
    let index = days.firstIndex { $0.date >= date } ?? days.endIndex
    if index < days.endIndex, days[index].date == date {
      let (sum, overflow) = days[index].amount.addingReportingOverflow(amount)
      days[index].amount = overflow ? .max : sum
    } else {
      days.insert(Day(date: date, amount: amount), at: index)
    }
    if let newest = days.last?.date {
      let oldest = newest.adding(days: 1 - LimitUsage.daysKept)
      days.removeAll { $0.date < oldest }
    }
  }

  /// Gives `amount` back into the date it was used on, as long as that date is still kept.
  public mutating func giveBack(_ amount: MinorUnits, on date: CalendarDate) {
    guard let index = days.firstIndex(where: { $0.date == date }) else { return }
    if days[index].amount > amount {
      days[index].amount -= amount
    } else {
      days.remove(at: index)
    }
  }
}
