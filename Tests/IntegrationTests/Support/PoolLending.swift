import Postgres

extension Pool {
  /// Runs `body` with a pool of its own, which is shut down whatever comes of it.
  static func lend<Value>(
    _ configuration: ConnectionConfiguration, maximumSize: Int, to body: (Pool) async throws -> Value
  ) async throws -> Value {
    let pool = Pool(configuration, maximumSize: maximumSize)
    do {
      let value = try await body(pool)
      await pool.shutdown()
      return value
    } catch {
      await pool.shutdown()
      throw error
    }
  }
}
