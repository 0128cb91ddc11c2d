import Foundation
import LocalStack
import Postgres
import Projections
import Synchronization

/// Holds a rebuild where a test wants it, for as long as it wants: in the middle of a phase, in a statement of its own.
///
/// A trigger of the test's makes whoever writes a new generation's row wait for a lock that the test may have: where
/// the row is made, where its checkpoint first moves, which is the end of filling, and where it moves again, which is
/// when it catches up. The other phases wait for what the bank itself has locks for.
final class RebuildGate: Sendable {
  /// Where a rebuild waits.
  private enum Bar: Int {
    case making = 1
    case filling
    case catchingUp
  }

  /// Events, more than may be left for the head's lock at first.
  private static let growth: Int64 = 150

  /// The first number of the gate's advisory locks.
  private static let space = 0x6761_7465

  private let book: ServedBook
  private let model: String
  private let session: Connection

  init(on book: ServedBook, model: String) async throws {
    self.book = book
    self.model = model
    session = try await Connection.connect(book.superuser.configuration)
    try await session.run { session in
      try session.simple(
        """
        create function rebuild_gate() returns trigger language plpgsql as $$
        begin
          if new.generation <= coalesce((select (generations ->> new.model)::integer from log_head), 1) then
            return new;
          end if;
          if tg_op = 'INSERT' then
            perform pg_advisory_xact_lock(\(RebuildGate.space), \(Bar.making.rawValue));
          elsif new.position > old.position then
            perform pg_advisory_xact_lock(\(RebuildGate.space),
              case when old.position = 0 then \(Bar.filling.rawValue) else \(Bar.catchingUp.rawValue) end);
          end if;
          return new;
        end
        $$;
        create trigger rebuild_gate before insert or update on projections for each row execute function rebuild_gate();
        """)
    }
  }

  func close() async { await session.close() }

  /// Those that it can be held in.
  static let phases = RebuildProgress.Phase.allCases.filter { $0 != .switched && $0 != .dropping }

  /// Starts a rebuild, brings it into a phase, and runs `body` while it waits there.
  func hold<Value>(
    in phase: RebuildProgress.Phase, _ rebuild: RebuildProcess, _ body: () async throws -> Value
  ) async throws -> Value {
    try await close(before: phase)
    let outcome: Result<Value, any Error>
    do {
      try await rebuild.start()
      if phase == .catchingUp { try await growBeyondFilling(rebuild) }
      try await eventually("the rebuild of \(model) waits while \(phase)", within: .seconds(60)) {
        try rebuild.expectRunning()
        let isWaiting = try await isWaiting()
        return isWaiting && rebuild.phase == phase
      }
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    try await openAll()
    return try outcome.get()
  }

  // MARK: Bars

  private func close(before phase: RebuildProgress.Phase) async throws {
    let live = try await liveTable()
    try await session.run { [model] session in
      func take(_ bar: Bar) throws {
        _ = try session.execute("select pg_advisory_lock(\(RebuildGate.space), \(bar.rawValue))")
      }
      switch phase {
      case .making: try take(.making)
      case .filling: try take(.filling)
      case .catchingUp:
        try take(.filling)
        try take(.catchingUp)
      case .comparing:
        // What follows the log is compared while its checkpoint stands still; for what the writer keeps, the live
        // table is read.
        if try Self.follows(model, session) {
          try session.simple("begin; select from projections where model = '\(model)' for update")
        } else {
          try session.simple("begin; lock table \(live) in access exclusive mode")
        }
      case .switching: try session.simple("begin; select from log_head for update")
      case .switched, .dropping: break
      }
    }
  }

  private func openAll() async throws {
    try await session.run { session in
      session.rollBack()
      try session.execute("select pg_advisory_unlock_all()")
    }
  }

  /// Waits until the bank has done more, since the filling's end was fixed, than may be left for the head's lock; then
  /// lets the rebuild fill.
  private func growBeyondFilling(_ rebuild: RebuildProcess) async throws {
    try await eventually("the rebuild of \(model) waits with all that it has read", within: .seconds(60)) {
      try rebuild.expectRunning()
      let isWaiting = try await isWaiting()
      return isWaiting && rebuild.phase == .filling
    }
    guard let end = rebuild.target else { throw NotInTime(what: "the rebuild says where filling ends") }
    try await eventually("the bank goes on", within: .seconds(8)) {
      try await comparable() > end + RebuildGate.growth
    }
    try await session.run { session in
      _ = try session.execute("select pg_advisory_unlock(\(RebuildGate.space), \(Bar.filling.rawValue))")
    }
  }

  // MARK: What is there

  private static func follows(_ model: String, _ session: Session) throws -> Bool {
    try session.execute("select from projections where model = $1", [.text(model)]).count > 0
  }

  private func liveTable() async throws -> String {
    try await session.run { [model] session in
      let live = try session.execute(
        "select coalesce((generations ->> $1)::integer, 1) from log_head", [.text(model)]
      ).int4(0, 0)
      return live == 1 ? model : "\(model)_\(live)"
    }
  }

  /// Up to where a new generation could be brought now.
  private func comparable() async throws -> Int64 {
    try await session.run { [model] session in
      try session.execute(
        """
        select coalesce((select p.position from projections p where p.model = $1
          and p.generation = coalesce((h.generations ->> $1)::integer, 1)), h.position) from log_head h
        """, [.text(model)]
      ).int8(0, 0)
    }
  }

  private func isWaiting() async throws -> Bool {
    try await session.run { session in
      // Within a transaction it would be what it was at first.
      try session.execute("select pg_stat_clear_snapshot()")
      return try session.execute(
        "select from pg_stat_activity where application_name = 'kauri rebuild' and wait_event_type = 'Lock'"
      ).count > 0
    }
  }
}

/// One `kauri rebuild --json`.
final class RebuildProcess: Sendable {
  private let arguments: [String]
  private let output: String
  private let started = Mutex<ChildProcess?>(nil)

  /// - Parameter directory: for what it prints.
  init(_ arguments: [String], in directory: String) {
    self.arguments = ["rebuild"] + arguments + ["--json"]
    output = "\(directory)/rebuild-\(UInt64.random(in: .min ... .max))"
  }

  func start() async throws {
    let process = try await KauriProcess.start(arguments, outputFile: output, logFile: "\(output).errors")
    started.withLock { $0 = process }
  }

  private var process: ChildProcess? { started.withLock { $0 } }

  /// - Returns: how it ended.
  func end(by signal: Int32) async -> String {
    process?.send(signal)
    return await process?.waitForEnd()?.description ?? "unknown"
  }

  var errors: String { Files.read("\(output).errors") ?? "" }

  /// The last phase that it has reported.
  var phase: RebuildProgress.Phase? { field("phase").flatMap { RebuildProgress.Phase(rawValue: $0) } }

  /// Where that phase ends.
  var target: Int64? { field("target").flatMap { Int64($0) } }

  private func field(_ name: String) -> String? {
    guard let line = (Files.read(output) ?? "").split(separator: "\n").last,
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
      let value = object[name]
    else { return nil }
    return "\(value)"
  }

  func expectRunning() throws {
    guard process?.isRunning == true else { throw LocalStackError.failed("a rebuild ended", detail: errors) }
  }
}
