import LocalStack
import Testing

@Suite struct LocalStackTests {
  @Test func temporary() async throws {
    let cluster = try await PostgresCluster.temporary()
    print(cluster.adminConninfo)
    try await cluster.destroy()
  }
}
