import EventStore
import Ledger
import Postgres
import Projections
import Testing

@Suite struct HeadSignalTests {
  @Test("it wakes those who wait for less, and leaves the others")
  func wakes() async throws {
    let signal = HeadSignal()
    async let early = signal.wait(beyond: 3, for: .seconds(60))
    async let late = signal.wait(beyond: 9, for: .seconds(60))
    // However late they begin to wait, what was said stays said.
    signal.advance(to: 4)
    #expect(await early == 4)
    signal.advance(to: 10)
    #expect(await late == 10)
  }

  @Test("it never goes back")
  func forwardOnly() {
    let signal = HeadSignal()
    signal.advance(to: 7)
    signal.advance(to: 5)
    #expect(signal.position == 7)
  }

  @Test("waiting ends by itself, and when the task is cancelled")
  func ends() async {
    let signal = HeadSignal()
    #expect(await signal.wait(beyond: 0, for: .milliseconds(1)) == 0)
    let waiting = Task { await signal.wait(beyond: 0, for: .seconds(600)) }
    waiting.cancel()
    #expect(await waiting.value == 0)
  }

  /// Time that is up before the waiter is known would wake nobody.
  @Test("waiting for no time at all ends too", .timeLimit(.minutes(1)))
  func endsAtOnce() async {
    let signal = HeadSignal()
    await withTaskGroup(of: Int64.self) { group in
      for number in 0..<20_000 {
        group.addTask { await signal.wait(beyond: 0, for: number.isMultiple(of: 2) ? .zero : .nanoseconds(number)) }
      }
      for await position in group { #expect(position == 0) }
    }
  }
}

extension OnAServer {
  @Suite struct HeadListenerTests {
    @Test("what another server announces is heard, also after the connection was lost")
    func hears() async throws {
      try await TestBook.with { book in
        let signal = HeadSignal()
        let listener = HeadListener(configuration: book.pool.configuration.connection, signal: signal, logger: quiet)
        let listening = Task { await listener.run() }
        try await announce(5, until: signal, book)
        try await book.administer { session in
          _ = try session.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'kauri listener'
            """)
        }
        try await announce(6, until: signal, book)
        listening.cancel()
        await listening.value
      }
    }

    /// Says it until it is heard: nobody knows when the listener begins to listen.
    private func announce(_ position: Int64, until signal: HeadSignal, _ book: TestBook) async throws {
      try await eventually {
        try await book.pool.run { session in
          _ = try session.execute(
            "select pg_notify($1, $2)", [.text(HeadAnnouncer.channel), .text(String(position))])
        }
        return signal.position >= position
      }
    }
  }
}
