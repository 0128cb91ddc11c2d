/// What a command says: one case a kind of command. Who says it, and under which id, stands in the command's envelope.
public enum Instruction: Hashable, Sendable {
  case registerCustomer(RegisterCustomer)
  case verifyCustomer(VerifyCustomer)
  case rejectCustomer(RejectCustomer)
  case suspendCustomer(SuspendCustomer)
  case eraseCustomer(EraseCustomer)
  case openAccount(OpenAccount)
  case freezeAccount(FreezeAccount)
  case unfreezeAccount(UnfreezeAccount)
  case closeAccount(CloseAccount)
  case postTransfer(PostTransfer)
  case postJournal(PostJournal)
  case reverseTransfer(ReverseTransfer)
  case placeHold(PlaceHold)
  case captureHold(CaptureHold)
  case releaseHold(ReleaseHold)
  case expireHold(ExpireHold)
  case approve(Approve)
  case reject(Reject)
  case setLimit(SetLimit)
  case setPolicy(SetPolicy)
  case recordFraudScore(RecordFraudScore)
  case recordRiskScore(RecordRiskScore)
  case recordAmlScore(RecordAmlScore)
  case importSanctionsList(ImportSanctionsList)
  case confirmMatch(ConfirmMatch)
  case clearMatch(ClearMatch)
  case activateRuleSet(ActivateRuleSet)

  // Given by Kauri itself, never over HTTP.
  case openBook(OpenBook)
  case recordDataRead(RecordDataRead)
  case recordRefusal(RecordRefusal)

  /// The content, whatever its kind.
  public var content: any InstructionContent {
    switch self {
    case .registerCustomer(let content): content
    case .verifyCustomer(let content): content
    case .rejectCustomer(let content): content
    case .suspendCustomer(let content): content
    case .eraseCustomer(let content): content
    case .openAccount(let content): content
    case .freezeAccount(let content): content
    case .unfreezeAccount(let content): content
    case .closeAccount(let content): content
    case .postTransfer(let content): content
    case .postJournal(let content): content
    case .reverseTransfer(let content): content
    case .placeHold(let content): content
    case .captureHold(let content): content
    case .releaseHold(let content): content
    case .expireHold(let content): content
    case .approve(let content): content
    case .reject(let content): content
    case .setLimit(let content): content
    case .setPolicy(let content): content
    case .recordFraudScore(let content): content
    case .recordRiskScore(let content): content
    case .recordAmlScore(let content): content
    case .importSanctionsList(let content): content
    case .confirmMatch(let content): content
    case .clearMatch(let content): content
    case .activateRuleSet(let content): content
    case .openBook(let content): content
    case .recordDataRead(let content): content
    case .recordRefusal(let content): content
    }
  }

  /// The command's name in the contract, `PostTransfer`.
  public var name: String { type(of: content).name.description }

  /// Writes the fields as members of an object that the caller has begun.
  public func write(to writer: inout RecordWriter) {
    // The common case first and unboxed: it is nearly all of a bank's traffic.
    if case .postTransfer(let transfer) = self {
      transfer.write(to: &writer)
    } else {
      content.write(to: &writer)
    }
  }
}

extension Instruction {
  /// Names of the commands that a client may send.
  public static let publicNames: [String] = publicKinds.map { $0.name.description }

  static let publicKinds: [any InstructionContent.Type] = [
    RegisterCustomer.self, VerifyCustomer.self, RejectCustomer.self, SuspendCustomer.self, EraseCustomer.self,
    OpenAccount.self, FreezeAccount.self, UnfreezeAccount.self, CloseAccount.self, PostTransfer.self, PostJournal.self,
    ReverseTransfer.self, PlaceHold.self, CaptureHold.self, ReleaseHold.self, ExpireHold.self, Approve.self,
    Reject.self, SetLimit.self, SetPolicy.self, RecordFraudScore.self, RecordRiskScore.self, RecordAmlScore.self,
    ImportSanctionsList.self, ConfirmMatch.self, ClearMatch.self, ActivateRuleSet.self,
  ]

  /// Reads the content of the command called `name` from `object` and refuses fields that it doesn't have.
  ///
  /// - Returns: nil when no command is called that, or when it is Kauri's own and `context` is a client's.
  public init?(name: String, from value: JSONValue, in context: ReadingContext) throws(JSONFault) {
    var object = try value.object()
    switch name {
    case "RegisterCustomer": self = .registerCustomer(try RegisterCustomer(from: &object, in: context))
    case "VerifyCustomer": self = .verifyCustomer(try VerifyCustomer(from: &object, in: context))
    case "RejectCustomer": self = .rejectCustomer(try RejectCustomer(from: &object, in: context))
    case "SuspendCustomer": self = .suspendCustomer(try SuspendCustomer(from: &object, in: context))
    case "EraseCustomer": self = .eraseCustomer(try EraseCustomer(from: &object, in: context))
    case "OpenAccount": self = .openAccount(try OpenAccount(from: &object, in: context))
    case "FreezeAccount": self = .freezeAccount(try FreezeAccount(from: &object, in: context))
    case "UnfreezeAccount": self = .unfreezeAccount(try UnfreezeAccount(from: &object, in: context))
    case "CloseAccount": self = .closeAccount(try CloseAccount(from: &object, in: context))
    case "PostTransfer": self = .postTransfer(try PostTransfer(from: &object, in: context))
    case "PostJournal": self = .postJournal(try PostJournal(from: &object, in: context))
    case "ReverseTransfer": self = .reverseTransfer(try ReverseTransfer(from: &object, in: context))
    case "PlaceHold": self = .placeHold(try PlaceHold(from: &object, in: context))
    case "CaptureHold": self = .captureHold(try CaptureHold(from: &object, in: context))
    case "ReleaseHold": self = .releaseHold(try ReleaseHold(from: &object, in: context))
    case "ExpireHold": self = .expireHold(try ExpireHold(from: &object, in: context))
    case "Approve": self = .approve(try Approve(from: &object, in: context))
    case "Reject": self = .reject(try Reject(from: &object, in: context))
    case "SetLimit": self = .setLimit(try SetLimit(from: &object, in: context))
    case "SetPolicy": self = .setPolicy(try SetPolicy(from: &object, in: context))
    case "RecordFraudScore": self = .recordFraudScore(try RecordFraudScore(from: &object, in: context))
    case "RecordRiskScore": self = .recordRiskScore(try RecordRiskScore(from: &object, in: context))
    case "RecordAmlScore": self = .recordAmlScore(try RecordAmlScore(from: &object, in: context))
    case "ImportSanctionsList": self = .importSanctionsList(try ImportSanctionsList(from: &object, in: context))
    case "ConfirmMatch": self = .confirmMatch(try ConfirmMatch(from: &object, in: context))
    case "ClearMatch": self = .clearMatch(try ClearMatch(from: &object, in: context))
    case "ActivateRuleSet": self = .activateRuleSet(try ActivateRuleSet(from: &object, in: context))
    case "OpenBook" where context.source == .log: self = .openBook(try OpenBook(from: &object, in: context))
    case "RecordDataRead" where context.source == .log:
      self = .recordDataRead(try RecordDataRead(from: &object, in: context))
    case "RecordRefusal" where context.source == .log:
      self = .recordRefusal(try RecordRefusal(from: &object, in: context))
    default: return nil
    }
    try object.finish()
  }
}
