import LocalStack
import Testing

/// `docs/audit.md`, typed as it stands there.
@Suite struct AuditWalkthroughTests {
  @Test func aDisputedPayment() async throws {
    let page = try #require(Files.read(Repository.path + "/docs/audit.md"))
    let blocks = Walkthrough.blocks(of: page)
    try #require(blocks.count == 6)
    try await Walkthrough.withStack { directory, stack in
      let atTheBank = try await Walkthrough.type(blocks[..<5].joined(separator: "\n"), in: directory)
      let payment = "01990000-0000-7000-8000-0000000a0007"

      // Who, when, why.
      #expect(atTheBank.contains("PostTransfer \(payment)\ngiven by operator:01900000-0000-7000-8000-000000000001 at "))
      #expect(atTheBank.contains("waits") == false)
      #expect(atTheBank.contains("accepted: TransferHeldForApproval, event "))
      #expect(atTheBank.contains("passed insufficient_funds: available 10000, amount 7500"))
      #expect(atTheBank.contains("approval_threshold limit 5000 NZD"))
      #expect(atTheBank.contains("operator:01900000-0000-7000-8000-000000000002 approved it at "))
      #expect(atTheBank.contains("since then: TransferPosted by operator:01900000-0000-7000-8000-000000000002"))
      #expect(!atTheBank.contains("boat") && !atTheBank.contains("called her back"))

      // Its proof, and the whole log.
      #expect(atTheBank.contains("the receipt holds: command \(payment)"))
      #expect(atTheBank.contains("the log is sound"))
      #expect(!atTheBank.contains("signatures: no key was given"))

      // Elsewhere, with the stack gone.
      await stack.stop()
      try Files.remove("\(directory)/.kauri")
      let elsewhere = try await Walkthrough.type(blocks[5], in: directory)
      #expect(elsewhere.contains("the segment is what was signed"))
      #expect(elsewhere.contains("the log is sound"))
      #expect(elsewhere.contains("not checked: the table of commands"))
    }
  }
}
