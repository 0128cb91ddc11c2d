import EventStore
import Ledger
import Testing

/// Lifting old payloads, with an imagined past: before version 1 there were −1, where a rule set was called `rules`,
/// and 0, where it was counted from nought.
@Suite struct UpcasterTests {
  private static let renamed = Upcaster(type: "RuleSetActivated", from: -1) { (old, new) throws(JSONFault) in
    var fields = try old.object()
    new.beginObject()
    new.field("book_id", try fields.required("book_id").identifier())
    new.field("rule_set", integer: try fields.required("rules").int64())
    new.endObject()
  }

  private static let recounted = Upcaster(type: "RuleSetActivated", from: 0) { (old, new) throws(JSONFault) in
    var fields = try old.object()
    new.beginObject()
    new.field("book_id", try fields.required("book_id").identifier())
    new.field("rule_set", integer: try fields.required("rule_set").int64() + 1)
    new.endObject()
  }

  private func decode(
    _ payload: String, type: String = "RuleSetActivated", version: Int, _ upcasters: [Upcaster]
  ) throws(EventCodecFault) -> Event {
    let keyring = PersonalKeyring(masterKey: Given.masterKey())
    return try EventCodec(keyring: keyring, upcasters: UpcasterRegistry(upcasters)).decode(
      type: type, schemaVersion: version, payload: Array(payload.utf8), command: Given.command)
  }

  @Test(arguments: [
    (#"{"book_id":"\#(Given.mere)","rules":1}"#, -1),
    (#"{"book_id":"\#(Given.mere)","rule_set":1}"#, 0),
    (#"{"book_id":"\#(Given.mere)","rule_set":2}"#, 1),
  ])
  func liftsVersionByVersion(payload: String, version: Int) throws {
    let event = try decode(payload, version: version, [Self.recounted, Self.renamed])
    #expect(event == .ruleSetActivated(RuleSetActivated(bookID: Given.mere, ruleSet: 2)))
  }

  @Test func aLostStepIsNamed() {
    #expect(throws: EventCodecFault.noUpcaster(type: "RuleSetActivated", version: 0)) {
      try decode(#"{"book_id":"\#(Given.mere)","rules":1}"#, version: -1, [Self.renamed])
    }
  }

  @Test func whatAnUpcasterCannotReadIsAFaultOfThatVersion() {
    let fault = #expect(throws: EventCodecFault.self) {
      try decode(#"{"book_id":"\#(Given.mere)"}"#, version: 0, [Self.recounted])
    }
    guard case .malformed("RuleSetActivated", version: 0, let place) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(place.pointer == "/rule_set")
  }

  @Test func aNewerVersionAndAnUnknownTypeAreNamed() {
    #expect(throws: EventCodecFault.newerVersion(type: "RuleSetActivated", version: 2, newest: 1)) {
      try decode("{}", version: 2, [])
    }
    #expect(throws: EventCodecFault.unknownType("MoneyPrinted")) {
      try decode("{}", type: "MoneyPrinted", version: 1, [])
    }
  }

  @Test func theBuildLiftsEveryVersionThereHasBeen() {
    // The samples prove it payload by payload; this says that none was forgotten when a version was raised.
    for kind in Event.kinds where kind.schemaVersion > 1 {
      for version in 1..<kind.schemaVersion {
        #expect(UpcasterRegistry.standard.contains(kind.type.description, from: version))
      }
    }
  }
}
