import Commands
import Ledger
import Testing

/// The payloads of the log, as they are read back.
@Suite struct EventJSONTests {
  /// One payload of every type, as decisions make them.
  static let payloads: [(type: String, json: String)] = {
    var payloads: [String: String] = [:]
    let declines: [Instruction] = [
      .transfer(1, from: Bank.nobodys, to: Bank.bobs), .journal([(Bank.nobodys, .debit, 1), (Bank.bobs, .credit, 1)]),
      .approve(Bank.nobodys),
    ]
    let decided =
      RecoveryTests.accepted.map { $0.given.when($0.instruction, by: $0.actor) }
      + declines.map { given(Bank.opened()).when($0) }
    for event in decided.flatMap(\.events) {
      guard let payload = try? event.payload(.sealed(GlassVault())) else { continue }
      payloads[event.type] = String(decoding: payload, as: UTF8.self)
    }
    return payloads.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }()

  @Test func thereIsOneOfEveryType() {
    #expect(Set(EventJSONTests.payloads.map(\.type)) == Set(Event.kinds.map { $0.type.description }))
  }

  @Test(arguments: payloads.map(\.type), ["null", "[]", "{}", "{\"surprise\":1}"])
  func whatIsNoPayloadIsRefused(_ type: String, _ json: String) throws {
    #expect(throws: JSONFault.self) { try TestBook.read(type, Array(json.utf8)) }
  }

  @Test(arguments: payloads) func unknownFieldsAreRefused(_ type: String, _ json: String) throws {
    let more = String(json.dropLast()) + ",\"surprise\":1}"
    do {
      _ = try TestBook.read(type, Array(more.utf8))
      Issue.record("\(type) was read")
    } catch let fault as JSONFault {
      #expect(fault.pointer == "/surprise")
    }
  }

  /// Nothing that a payload says may get lost or be made up: without any one of its fields it is refused, or it says
  /// something else.
  @Test(arguments: payloads) func everyFieldCounts(_ type: String, _ json: String) throws {
    let whole = try TestBook.read(type, Array(json.utf8))
    let fields = Array(try JSONDocument(Array(json.utf8)).root.object())
    for left in fields.indices {
      let rest = fields.indices.filter { $0 != left }.map {
        "\"\(fields[$0].key)\":\(String(decoding: fields[$0].value.rawBytes, as: UTF8.self))"
      }
      let other = try? TestBook.read(type, Array("{\(rest.joined(separator: ","))}".utf8))
      #expect(other != whole, "\(type) without \(fields[left].key)")
    }
  }

  @Test func unknownTypes() throws {
    let context = ReadingContext(command: .zero, source: .log)
    for type in ["", "PostTransfer", "transferposted"] {
      #expect(try Event(type: type, from: try JSONDocument(Array("{}".utf8)).root, in: context) == nil)
    }
  }

  /// Erased text stays where it was, and says that it is gone.
  @Test func erasedText() throws {
    let payload = #"{"customer_id":"\#(Bank.alice)","name":{"erased":true}}"#
    guard case .customerRegistered(let registered) = try TestBook.read("CustomerRegistered", Array(payload.utf8)) else {
      Issue.record("not read")
      return
    }
    #expect(registered.instruction.name.content == .erased)
    #expect(try Event.customerRegistered(registered).payload(.asHeld) == Array(payload.utf8))
    #expect(
      try Event.customerRegistered(registered).payload(.withheld)
        == Array(#"{"customer_id":"\#(Bank.alice)","name":{"withheld":true}}"#.utf8))
  }
}
