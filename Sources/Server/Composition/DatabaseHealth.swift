import Commands
import EventStore
import Ledger
import Postgres
import Projections

/// Whether the database is there and as this build needs it.
struct DatabaseHealth: ServerHealth {
  let pool: Pool
  let handler: CommandHandler
  let ruleSets: RuleSets

  private struct Look: Sendable {
    let position: Int64
    let ruleSet: Int
    let migration: Int
  }

  func readiness() async -> [ReadinessCheck] {
    let look: Look
    do {
      look = try await self.look()
    } catch {
      // Which host, role or file is not for whoever happens to probe; the log has it.
      return [ReadinessCheck("database", passed: false, "it can't be reached, or it hasn't been migrated")]
    }
    return [
      ReadinessCheck("database", passed: true),
      check(
        "migrations", look.migration == Migrator.newest,
        "the database is at migration \(look.migration), this build at \(Migrator.newest)"),
      check("book", look.position > 0, "it hasn't been opened: run kauri migrate"),
      check(
        "rule_set", look.position == 0 || ruleSets.contains(look.ruleSet),
        "the book follows rule set \(look.ruleSet), which this build doesn't know"),
    ]
  }

  func gauges() async -> [GaugeReading] {
    let stats = pool.stats
    var gauges = [
      GaugeReading("kauri_queue_depth", Double(handler.queueDepth)),
      GaugeReading("kauri_pool_waiting", Double(stats.waiting)),
    ]
    for (state, count) in [
      ("idle", stats.idle), ("lent", stats.lent), ("opening", stats.opening),
    ] { gauges.append(GaugeReading("kauri_pool_connections", labels: [("state", state)], Double(count))) }
    // Without the database there is nothing to say about the log; the scrape has the rest.
    if let look = try? await look() { gauges.append(GaugeReading("kauri_log_position", Double(look.position))) }
    for lag in (try? await Projections.lag(pool)) ?? [] {
      let labels = [("model", lag.model)]
      gauges.append(GaugeReading("kauri_projection_lag_events", labels: labels, Double(lag.head - lag.position)))
      gauges.append(GaugeReading("kauri_projection_lag_seconds", labels: labels, lag.seconds))
    }
    return gauges
  }

  private func look() async throws -> Look {
    try await pool.run { session in
      let rows = try session.execute(
        """
        select h.position, h.rule_set, (select coalesce(max(number), 0) from public.kauri_migrations) from log_head h
        """)
      return Look(
        position: try rows.int8(0, 0), ruleSet: Int(try rows.int4(0, 1)), migration: Int(try rows.int4(0, 2)))
    }
  }

  private func check(_ name: String, _ passed: Bool, _ detail: String) -> ReadinessCheck {
    ReadinessCheck(name, passed: passed, passed ? nil : detail)
  }
}

extension Migrator {
  /// The number of the newest migration that this build has.
  static var newest: Int { EventStore.Schema.migrations.last?.number ?? 0 }
}
