import Dispatch
import Postgres
import Synchronization
import Testing

extension OnAServer {
  @Suite struct NotificationTests {
    @Test func heardAndReturned() async throws {
      try await Server.withSession { session throws in
        try session.listen("Some \"channel\"")
        #expect(try session.notifications(wait: .zero).isEmpty)
        try session.execute("select pg_notify('Some \"channel\"', 'one'), pg_notify('Some \"channel\"', 'two')")
        let heard = try session.notifications(wait: .seconds(30))
        #expect(heard.map(\.payload) == ["one", "two"])
        #expect(heard.allSatisfy { $0.channel == "Some \"channel\"" && $0.backendPID == session.backendPID })
        var more: [Notification] = []
        let waited = try ContinuousClock().measure { more = try session.notifications(wait: .milliseconds(50)) }
        #expect(more.isEmpty)
        #expect(waited >= .milliseconds(50))
      }
    }

    @Test func asASequence() async throws {
      try await Server.withConnection { listener in
        let heard = Mutex<[String]>([])
        let isListening = Mutex(false)
        let following = Task {
          for try await notification in listener.notifications(on: ["asequence"]) {
            if notification.payload == "ready" {
              isListening.withLock { $0 = true }
            } else {
              heard.withLock { $0.append(notification.payload) }
            }
          }
        }
        try await Server.withConnection { speaker in
          try await eventually {
            try await speaker.execute("select pg_notify('asequence', 'ready')")
            return isListening.withLock { $0 }
          }
          for number in 0..<100 { try await speaker.execute("select pg_notify('asequence', '\(number)')") }
        }
        try await eventually { heard.withLock { $0.count } == 100 }
        #expect(heard.withLock { $0 } == (0..<100).map { "\($0)" })
        // The listener waits for up to a minute; another task's statement doesn't.
        let waited = await duration {
          await #expect(throws: Never.self) { try await listener.execute("select 1") }
        }
        #expect(waited < .seconds(5))
        following.cancel()
        let error = await #expect(throws: PostgresError.self) { try await following.value }
        #expect(error?.kind == .cancelled)
        #expect(try await listener.query("select 1::int8") { try $0.int8(0, 0) } == 1)
      }
    }

    /// A statement that was given just before a listener's next wait begins, too late to end the wait before and too early
    /// to end this one.
    @Test func nobodyStandsBehindAWait() async throws {
      try await Server.withConnection { listener in
        let pid = try await listener.run { $0.backendPID }
        let hasHeard = Mutex(false)
        let (steps, goOn) = AsyncStream<Void>.makeStream()
        let following = Task {
          var steps = steps.makeAsyncIterator()
          for try await _ in listener.notifications(on: ["inturn"]) {
            hasHeard.withLock { $0 = true }
            _ = await steps.next()
          }
        }
        try await Server.waitUntil("state = 'idle' and query like 'listen%'", of: pid)
        _ = try await Server.withConnection { try await $0.execute("notify inturn") }
        try await eventually { hasHeard.withLock { $0 } }

        // While the connection's thread is busy, the listener's next wait is queued, and then a statement behind it.
        let isBusy = Mutex(false)
        let release = DispatchSemaphore(value: 0)
        async let busy: Void = listener.run { _ in
          isBusy.withLock { $0 = true }
          release.wait()
        }
        try await eventually { isBusy.withLock { $0 } }
        goOn.yield()
        try await eventually { listener.waitingRuns == 1 }
        let waited = await duration {
          let asked = Task { try await listener.run { try $0.simple("select 1") } }
          await #expect(throws: Never.self) { try await eventually { listener.waitingRuns == 2 } }
          release.signal()
          await #expect(throws: Never.self) { try await asked.value }
        }
        // The wait takes a minute.
        #expect(waited < .seconds(30))
        try await busy
        following.cancel()
        let error = await #expect(throws: PostgresError.self) { try await following.value }
        #expect(error?.kind == .cancelled)
      }
    }

    @Test func aListenerWhoseBackendEndsIsTold() async throws {
      try await Server.withConnection { listener in
        let pid = try await listener.run { $0.backendPID }
        let following = Task { for try await _ in listener.notifications(on: ["silence"]) {} }
        try await Server.waitUntil("state = 'idle' and query like 'listen%'", of: pid)
        _ = try await Server.withConnection { try await $0.execute("select pg_terminate_backend(\(pid))") }
        let error = await #expect(throws: PostgresError.self) { try await following.value }
        #expect(error?.kind == .connectionLost)
      }
    }
  }
}
