/// Why something was declined, or which check a figure belongs to. The order of the pre-flight codes is their
/// precedence.
public enum RejectionCode: String, Hashable, Sendable, CaseIterable {
  // Pre-flight, in order of precedence.
  case unknownAccount = "unknown_account"
  case sameAccount = "same_account"
  case accountNotOpen = "account_not_open"
  case currencyMismatch = "currency_mismatch"
  case customerNotVerified = "customer_not_verified"
  case sanctionsMatch = "sanctions_match"
  case fraudScoreTooHigh = "fraud_score_too_high"
  case fraudScoreStale = "fraud_score_stale"
  case limitPerTransaction = "limit_per_transaction"
  case limitDaily = "limit_daily"
  case limitWeekly = "limit_weekly"
  case limitMonthly = "limit_monthly"
  case limitRolling30Days = "limit_rolling_30_days"
  case insufficientFunds = "insufficient_funds"
  /// A balance or a limit's usage would leave Int64.
  case balanceOverflow = "balance_overflow"
  /// What a customer is told instead of whatever it was about the other party. Never recorded.
  case creditorNotPayable = "creditor_not_payable"

  // Movements.
  case transferExists = "transfer_exists"
  case journalExists = "journal_exists"
  case holdExists = "hold_exists"
  case unbalanced
  case unknownTransfer = "unknown_transfer"
  case alreadyReversed = "already_reversed"
  case notPosted = "not_posted"
  case wouldOverdraw = "would_overdraw"
  case unknownHold = "unknown_hold"
  case holdExpired = "hold_expired"
  case overCapture = "over_capture"
  /// A hold can't wait for a second person, so above the threshold it is declined.
  case approvalThreshold = "approval_threshold"

  // Customers and accounts.
  case customerExists = "customer_exists"
  case unknownCustomer = "unknown_customer"
  case accountExists = "account_exists"
  case numberTaken = "number_taken"
  case wrongState = "wrong_state"
  case balanceNotZero = "balance_not_zero"
  case fundsHeld = "funds_held"
  case accountsOpen = "accounts_open"
  case withinRetention = "within_retention"

  // Control.
  case unknownApproval = "unknown_approval"
  case alreadyDecided = "already_decided"
  case samePerson = "same_person"
  case unknownSubject = "unknown_subject"
  case versionNotNewer = "version_not_newer"
  /// A score that was made after it was reported.
  case scoredInFuture = "scored_in_future"
  case ruleSetNotNewer = "rule_set_not_newer"
  /// The build that was asked doesn't have it.
  case ruleSetNotKnown = "rule_set_not_known"
  case bookAlreadyOpen = "book_already_open"

  // Refused to the caller, whatever the state of the book.
  case forbidden
}

/// One thing that was looked at before money moved, with the figures that it compared.
public struct Check: Hashable, Sendable {
  public var code: RejectionCode
  public var passed: Bool
  public var figures: [Figure]

  public init(_ code: RejectionCode, passed: Bool, _ figures: [Figure] = []) {
    self.code = code
    self.passed = passed
    self.figures = figures
  }

  init(from value: JSONValue) throws(JSONFault) {
    var object = try value.object()
    code = try object.required("code").choice(RejectionCode.self)
    passed = try object.required("passed").bool()
    figures = []
    for (name, value) in object where name != "code" && name != "passed" {
      figures.append(Figure(name, try Figure.Value(from: value)))
    }
  }

  public func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("code", code.rawValue)
    json.field("passed", passed)
    for figure in figures {
      json.key(figure.name)
      switch figure.value {
      case .text(let text): json.string(text)
      case .integer(let number): json.integer(number)
      }
    }
    json.endObject()
  }
}

/// A named figure of a check: `limit`, `used`, `available`.
public struct Figure: Hashable, Sendable {
  public enum Value: Hashable, Sendable {
    case text(String)
    case integer(Int64)

    init(from value: JSONValue) throws(JSONFault) {
      self = value.kind == .number ? .integer(try value.int64()) : .text(try value.string())
    }
  }

  public var name: String
  public var value: Value

  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  /// Minor units, written as the contract writes money: a string.
  public static func amount(_ name: String, _ amount: MinorUnits) -> Figure { Figure(name, .text(String(amount))) }
  public static func integer(_ name: String, _ number: Int) -> Figure { Figure(name, .integer(Int64(number))) }
  public static func text(_ name: String, _ text: String) -> Figure { Figure(name, .text(text)) }
}

extension JSONObject {
  mutating func checks() throws(JSONFault) -> [Check] {
    guard let value = try optional("checks") else { return [] }
    var checks: [Check] = []
    for element in try value.array() { checks.append(try Check(from: element)) }
    return checks
  }
}

extension JSONWriter {
  public mutating func field(checks: [Check]) {
    guard !checks.isEmpty else { return }
    key("checks")
    beginArray()
    for check in checks { check.write(to: &self) }
    endArray()
  }
}
