import Foundation
import Ledger
import LocalStack
import Testing

/// Receipts as a client gets them, and `kauri verify-receipt` as anybody runs it: with the receipt and the key, and
/// no bank.
@Suite(.serialized) struct ReceiptCommandTests {
  @Test func aReceiptHoldsOfflineAndABrokenOneDoesNot() async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    var key = ""
    var answers: [String: [UInt8]] = [:]
    try await AuditBank.run { bank in
      key = Files.read("\(bank.stack.directory)/checkpoint.pub") ?? ""
      let accepted = try await bank.give("PostTransfer", bank.transfer(), headers: [("Prefer", "receipt")])
      #expect(accepted.status == 201 && accepted.preferenceApplied == "receipt")
      answers["accepted"] = accepted.body
      // Declines are in the log like everything else.
      let declined = try await bank.give(
        "PostTransfer", bank.transfer().replacing(AuditBank.accounts[0], with: "01900000-0000-7000-8000-0000000000ff"),
        headers: [("Prefer", "respond-async, Receipt; x=1")])
      #expect(declined.status == 422 && declined.preferenceApplied == "receipt")
      answers["declined"] = declined.body
      for preference in [nil, "receipts", "return=minimal", "x;receipt"] as [String?] {
        let plain = try await bank.give(
          "PostTransfer", bank.transfer(), headers: preference.map { [("Prefer", $0)] } ?? [])
        #expect(plain.preferenceApplied == nil && !String(decoding: plain.body, as: UTF8.self).contains("receipt"))
      }
    }
    // From here on there is no bank.
    try Files.write(key, to: "\(directory)/bank.pub", mode: 0o644)
    for (name, answer) in answers {
      let outcome = try await verify(answer, in: directory)
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      #expect(outcome.output.contains(#""valid":true"#))
    }
    let good = try #require(answers["accepted"])
    // The receipt alone.
    let object = try #require(try JSONSerialization.jsonObject(with: Data(good)) as? [String: Any])
    let alone = try JSONSerialization.data(withJSONObject: try #require(object["receipt"]))
    #expect(try await verify(Array(alone), in: directory).status == 0)
    try await expectBrokenOnesRefused(object, in: directory)
    try await expectWrongUse(good, in: directory)
  }

  /// A changed byte in each part of the answer.
  private func expectBrokenOnesRefused(_ good: [String: Any], in directory: String) async throws {
    let receipt = try #require(good["receipt"] as? [String: Any])
    let event = try #require((receipt["events"] as? [[String: Any]])?.first)
    let note = try #require(receipt["checkpoint"] as? String)
    let lines = note.components(separatedBy: "\n")
    /// The answer with some of its fields, of its receipt's and of its event's replaced.
    func with(
      answer: [String: Any] = [:], receipt changed: [String: Any] = [:], event changedEvent: [String: Any] = [:]
    ) -> [String: Any] {
      var receipt = receipt
      receipt["events"] = [event.merging(changedEvent) { $1 }]
      return good.merging(["receipt": receipt.merging(changed) { $1 }]) { $1 }.merging(answer) { $1 }
    }
    func flipped(_ base64: Any?, at place: Int) throws -> String {
      let text = try #require(base64 as? String)
      var bytes = try #require(Data(base64Encoded: text))
      bytes[place % bytes.count] ^= 0x10
      return bytes.base64EncodedString()
    }
    let row = try #require(event["row"] as? String)
    let rowLength = try #require(Data(base64Encoded: row)).count
    var broken: [(String, [String: Any])] = []
    for place in stride(from: 0, to: rowLength, by: 23) {
      broken.append(("row, byte \(place)", with(event: ["row": try flipped(event["row"], at: place)])))
    }
    broken.append(("leaf", with(event: ["leaf_hash": try flipped(event["leaf_hash"], at: 5)])))
    let proof = try #require(event["proof"] as? [String])
    for place in proof.indices {
      var changed = proof
      changed[place] = try flipped(proof[place], at: place)
      broken.append(("proof \(place)", with(event: ["proof": changed])))
    }
    broken.append(("proof cut short", with(event: ["proof": Array(proof.dropLast())])))
    for field in ["position", "tree_size"] {
      broken.append((field, with(receipt: [field: try #require(receipt[field] as? Int) + 1])))
    }
    let signature = try #require(lines[4].components(separatedBy: " ").last)
    var notes = [
      note.replacing("/1\n", with: "/2\n"), note.replacing("\n\(lines[1])\n", with: "\n\(lines[1])0\n"),
      note.replacing(lines[2], with: try flipped(lines[2], at: 9)), note.replacing("\n\n", with: "\n"),
    ]
    for place in [0, 4, 40, 67] { notes.append(note.replacing(signature, with: try flipped(signature, at: place))) }
    for changed in notes { broken.append((changed, with(receipt: ["checkpoint": changed]))) }
    // What the answer around it claims.
    broken.append(("command", with(answer: ["command_id": "01900000-0000-7000-8000-0000000000aa"])))
    var claims = try #require(good["events"] as? [[String: Any]])
    claims[0]["position"] = 1
    broken.append(("claimed position", with(answer: ["events": claims])))
    broken.append(("claimed events", with(answer: ["events": [[String: Any]]()])))
    for (what, answer) in broken {
      let outcome = try await verify(Array(try JSONSerialization.data(withJSONObject: answer)), in: directory)
      #expect(outcome.status == 1, "\(what): \(outcome.output)")
      #expect(outcome.output.contains(#""valid":false"#), "\(what)")
    }
  }

  private func expectWrongUse(_ good: [UInt8], in directory: String) async throws {
    for text in ["", "{", "[]", "{}", #"{"receipt":{}}"#, #"{"receipt":null}"#] {
      #expect(try await verify(Array(text.utf8), in: directory).status == 2, "\(text)")
    }
    try Files.write(good, to: "\(directory)/receipt.json", mode: 0o644)
    try Files.write("ed25519 AAAA\n", to: "\(directory)/short.pub", mode: 0o644)
    let runs: [[String]] = [
      ["verify-receipt", "\(directory)/receipt.json"],
      ["verify-receipt", "\(directory)/missing.json", "--key", "\(directory)/bank.pub"],
      ["verify-receipt", "\(directory)/receipt.json", "--key", "\(directory)/missing.pub"],
      ["verify-receipt", "\(directory)/receipt.json", "--key", "\(directory)/short.pub"],
    ]
    for arguments in runs { #expect(try await KauriProcess.run(arguments).status == 2, "\(arguments)") }
    // Another bank's key.
    let other = try LocalIdentity.prepare(in: "\(directory)/other")
    let printed = try await KauriProcess.run(["checkpoint-key", other.checkpointKeyFile])
    #expect(printed.status == 0 && printed.output == Files.read(other.checkpointPublicKeyFile))
    #expect(try await KauriProcess.run(["checkpoint-key", "\(directory)/bank.pub"]).status == 2)
    let outcome = try await KauriProcess.run([
      "verify-receipt", "\(directory)/receipt.json", "--key", other.checkpointPublicKeyFile,
    ])
    #expect(outcome.status == 1 && outcome.errors.contains("isn't signed by this key"))
  }

  private func verify(_ answer: [UInt8], in directory: String) async throws -> KauriProcess.Outcome {
    try Files.write(answer, to: "\(directory)/receipt.json", mode: 0o644)
    return try await KauriProcess.run([
      "verify-receipt", "\(directory)/receipt.json", "--key", "\(directory)/bank.pub", "--json",
    ])
  }
}
