/// A body of every command that is what its schema says, with every field that it may have.
enum CommandExamples {
  private static let id = "01900000-0000-7000-8000-0000000000e1"
  private static let other = "01900000-0000-7000-8000-0000000000e2"
  private static let score =
    #"{"subject_id":"\#(id)","score":500,"model":"m-1","scored_at":"2026-01-01T00:00:00Z"}"#
  private static let finding = #"{"customer_id":"\#(id)","list":"dfat","entry_id":"1","reason":"seen"}"#
  private static let state = #"{"account_id":"\#(id)","reason":"asked"}"#
  private static let decision = #"{"command_id":"\#(id)","reason":"fine"}"#

  static let bodies: [String: String] = [
    "RegisterCustomer": #"{"customer_id":"\#(id)","name":"A","date_of_birth":"1990-01-31","country":"NZ"}"#,
    "VerifyCustomer": #"{"customer_id":"\#(id)"}"#,
    "RejectCustomer": #"{"customer_id":"\#(id)","reason":"forged"}"#,
    "SuspendCustomer": #"{"customer_id":"\#(id)","reason":"asked"}"#,
    "EraseCustomer": #"{"customer_id":"\#(id)","reason":"asked"}"#,
    "OpenAccount":
      #"{"account_id":"\#(id)","kind":"internal","currency":"NZD","name":"Fees","number":"01-0902-0068389-00","overdraft":"0","allow_negative":true,"classification":"fees"}"#,
    "FreezeAccount": state, "UnfreezeAccount": state, "CloseAccount": state,
    "PostTransfer":
      #"{"transfer_id":"\#(id)","debit_account_id":"\#(id)","credit_account_id":"\#(other)","amount":"1","currency":"NZD","reference":"r","channel":"online","value_date":"2026-01-31","occurred_at":"2026-01-31T10:00:00+13:00"}"#,
    "PostJournal":
      #"{"journal_id":"\#(id)","postings":[{"account_id":"\#(id)","direction":"debit","amount":"1","currency":"NZD"},{"account_id":"\#(other)","direction":"credit","amount":1,"currency":"NZD"}],"reference":"r","value_date":"2026-01-31"}"#,
    "ReverseTransfer": #"{"transfer_id":"\#(id)","reason":"wrong"}"#,
    "PlaceHold":
      #"{"hold_id":"\#(id)","account_id":"\#(id)","amount":"1","currency":"NZD","expires_at":"2999-01-01T00:00:00Z"}"#,
    "CaptureHold": #"{"hold_id":"\#(id)","credit_account_id":"\#(other)","amount":"1"}"#,
    "ReleaseHold": #"{"hold_id":"\#(id)","reason":"done"}"#,
    "ExpireHold": #"{"hold_id":"\#(id)"}"#,
    "Approve": decision, "Reject": decision,
    "SetLimit": #"{"subject_id":"\#(id)","kind":"daily","amount":null,"currency":"NZD"}"#,
    "SetPolicy": #"{"policy":"fraud_score_reduced_limit","value":"5","currency":"NZD"}"#,
    "RecordFraudScore": score, "RecordRiskScore": score, "RecordAmlScore": score,
    "ImportSanctionsList":
      #"{"list":"dfat","version":"2026-01-01","entries":[{"id":"1","name":"N","aliases":["M"],"countries":["NZ"],"dates_of_birth":["1950"],"program":"p","remarks":"r"}]}"#,
    "ConfirmMatch": finding, "ClearMatch": finding,
    "ActivateRuleSet": #"{"rule_set":2}"#,
  ]
}
