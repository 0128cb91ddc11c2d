import Glibc
import LocalStack
import Testing

/// Where the sources of the package are.
enum Repository {
  static let path = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
}

/// The contract that a running stack serves, against what the stack does.
@Suite struct ContractTests {
  /// Without the tools and without a way to get them this fails: a check that didn't run has found nothing.
  @Test(.timeLimit(.minutes(10))) func theServerDoesWhatItsContractSays() async throws {
    let stack = try await KauriProcess.dev()
    do {
      let record = try stack.record()
      let token = try #require(record.tokens["operator"])
      let seed = getenv("KAURI_TEST_SEED").map { String(cString: $0) } ?? String(UInt32.random(in: 1...UInt32.max))
      let outcome = try await Program("\(Repository.path)/scripts/contract-check")
        .run([record.http, token, "8", seed])
      #expect(outcome.exitStatus == 0, "seed \(seed)\n\(outcome.output)\n\(outcome.errors)")
      #expect(outcome.output.contains("No issues found"))
      #expect(try stack.record().processes == record.processes, "the server is the one that was started")
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }
}
