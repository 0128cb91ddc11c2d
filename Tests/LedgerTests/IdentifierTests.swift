import Ledger
import Testing

@Suite struct IdentifierTests {
  @Test func printsWhatItReads() {
    #expect(Identifier("0190F3a1-7b2c-7def-8123-456789abcdef")?.description == "0190f3a1-7b2c-7def-8123-456789abcdef")
  }
}
