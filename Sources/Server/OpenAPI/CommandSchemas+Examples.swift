import Ledger

extension CommandSchemas {
  /// A body of every command, such as a client might send. A test gives each of them to a server.
  static let examples: [String: String] = [
    "RegisterCustomer": #"{"customer_id":"\#(id)a0","name":"Aroha Ngata","date_of_birth":"1990-01-31","country":"NZ"}"#,
    "VerifyCustomer": #"{"customer_id":"\#(id)a0"}"#,
    "RejectCustomer": #"{"customer_id":"\#(id)a0","reason":"The document was not genuine"}"#,
    "SuspendCustomer": #"{"customer_id":"\#(id)a0","reason":"Reported stolen card"}"#,
    "EraseCustomer": #"{"customer_id":"\#(id)a0","reason":"Retention is over"}"#,
    "OpenAccount":
      #"""
    {"account_id":"\#(id)a1","customer_id":"\#(id)a0","currency":"NZD","name":"Everyday",\#
    "number":"01-0902-0068389-00","overdraft":"50000"}
    """#,
    "FreezeAccount": #"{"account_id":"\#(id)a1","reason":"Court order"}"#,
    "UnfreezeAccount": #"{"account_id":"\#(id)a1","reason":"Court order lifted"}"#,
    "CloseAccount": #"{"account_id":"\#(id)a1","reason":"At the customer's wish"}"#,
    "PostTransfer":
      #"""
    {"debit_account_id":"\#(id)a1","credit_account_id":"\#(id)b1","amount":"1250","currency":"NZD",\#
    "reference":"Rent","channel":"online"}
    """#,
    "PostJournal":
      #"""
    {"postings":[{"account_id":"\#(id)a1","direction":"debit","amount":"1250","currency":"NZD"},\#
    {"account_id":"\#(id)b1","direction":"credit","amount":"1250","currency":"NZD"}],\#
    "reference":"Monthly fee","value_date":"2026-01-31"}
    """#,
    "ReverseTransfer": #"{"transfer_id":"\#(id)c1","reason":"Sent twice"}"#,
    "PlaceHold": #"{"account_id":"\#(id)a1","amount":"2000","currency":"NZD","expires_at":"2999-01-01T00:00:00Z"}"#,
    "CaptureHold": #"{"hold_id":"\#(id)d1","credit_account_id":"\#(id)b1","amount":"1500"}"#,
    "ReleaseHold": #"{"hold_id":"\#(id)d1","reason":"Order cancelled"}"#,
    "ExpireHold": #"{"hold_id":"\#(id)d1"}"#,
    "Approve": #"{"command_id":"\#(id)e1","reason":"Spoke to the customer"}"#,
    "Reject": #"{"command_id":"\#(id)e1","reason":"The customer knows nothing of it"}"#,
    "SetLimit": #"{"subject_id":"\#(id)a0","kind":"daily","amount":"100000","currency":"NZD"}"#,
    "SetPolicy": #"{"policy":"fraud_score_maximum","value":800}"#,
    "RecordFraudScore": #"{"subject_id":"\#(id)a0","score":120,"model":"fraud-7","scored_at":"2026-01-31T10:00:00Z"}"#,
    "RecordRiskScore": #"{"subject_id":"\#(id)a0","score":300,"model":"risk-2","scored_at":"2026-01-31T10:00:00Z"}"#,
    "RecordAmlScore": #"{"subject_id":"\#(id)a0","score":50,"model":"aml-4","scored_at":"2026-01-31T10:00:00Z"}"#,
    "ImportSanctionsList":
      #"""
    {"list":"example","version":"2026-01-31","entries":[{"id":"E-1","name":"Jane Doe","aliases":["J. Doe"],\#
    "countries":["NZ"],"dates_of_birth":["1950"]}]}
    """#,
    "ConfirmMatch": #"{"customer_id":"\#(id)a0","list":"example","entry_id":"E-1","reason":"Same date of birth"}"#,
    "ClearMatch": #"{"customer_id":"\#(id)a0","list":"example","entry_id":"E-1","reason":"Another date of birth"}"#,
    "ActivateRuleSet": #"{"rule_set":2}"#,
  ]

  /// All but the last two digits of the ids.
  private static let id = "01990000-0000-7000-8000-0000000000"
}
