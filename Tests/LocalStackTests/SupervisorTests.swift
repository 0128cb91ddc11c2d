import Glibc
import LocalStack
import Logging
import Synchronization
import Testing

@Suite struct SupervisorTests {
  /// Pauses short enough for a test; the counts are what is tested.
  private static var policy: Supervisor.Policy {
    var policy = Supervisor.Policy()
    policy.pauseMinimum = .milliseconds(1)
    policy.pauseMaximum = .milliseconds(4)
    policy.quickEndsMaximum = 3
    return policy
  }

  private static func part(
    _ name: String, _ script: String, in directory: String, stopped: @escaping @Sendable (String) -> Void = { _ in }
  ) -> Supervisor.Part {
    Supervisor.Part(
      name: name,
      start: {
        try await ChildProcess.start(
          name, executable: "/bin/sh", arguments: ["-c", script], logFile: "\(directory)/\(name).log")
      },
      stop: {
        stopped(name)
        await $0.stop(SIGTERM, grace: .seconds(10))
      },
      logFile: "\(directory)/\(name).log")
  }

  @Test func aPartThatDiesIsStartedAgain() async throws {
    try await Support.withDirectory { directory in
      let seen = Mutex<[Int32]>([])
      let supervisor = Supervisor(policy: Self.policy, logger: Logger(label: "test")) { processes in
        if let pid = processes["part"]?.pid { seen.withLock { $0.append(pid) } }
      }
      let first = try await supervisor.launch(Self.part("part", "exec sleep 600", in: directory))
      first.send(SIGKILL)
      #expect(try await Support.eventually { seen.withLock { $0.count } == 2 })
      let second = try #require(await supervisor.processes["part"])
      #expect(second.pid != first.pid && second.isRunning)
      #expect(seen.withLock { $0 } == [first.pid, second.pid])
      await supervisor.stop()
      #expect(!second.isRunning)
    }
  }

  @Test func aPartThatKeepsDyingIsGivenUp() async throws {
    try await Support.withDirectory { directory in
      let supervisor = Supervisor(policy: Self.policy, logger: Logger(label: "test"))
      try await supervisor.launch(Self.part("part", "echo started; exit 7", in: directory))
      let failure = await #expect(throws: LocalStackError.self) { try await supervisor.waitForFailure() }
      guard case .gaveUp("part", 3, let last) = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(last.hasSuffix(" exited with status 7\nthe end of \(directory)/part.log:\nstarted"), "\(last)")
      #expect(Files.read("\(directory)/part.log") == "started\nstarted\nstarted\n")
      await supervisor.stop()
    }
  }

  /// Each end is told with its log and the last line of it, but never with what another process had said.
  @Test func anEndIsToldWithItsReason() async throws {
    try await Support.withDirectory { directory in
      let said = Said()
      let supervisor = Supervisor(policy: Self.policy, logger: said.logger)
      let mark = "\(directory)/mark"
      let script = "test -e '\(mark)' && exit 7; touch '\(mark)'; echo first; echo reasons; exit 7"
      try await supervisor.launch(Self.part("part", script, in: directory))
      let failure = await #expect(throws: LocalStackError.self) { try await supervisor.waitForFailure() }
      await supervisor.stop()
      let ends = said.lines.filter { $0.contains(" exited with status 7; starting it again in ") }
      try #require(ends.count == 2, "\(said.lines)")
      #expect(ends[0].hasSuffix("; the last line of \(directory)/part.log: reasons"), "\(ends)")
      #expect(ends[1].hasSuffix("; its log is \(directory)/part.log"), "\(ends)")
      #expect(failure.map { "\($0)" }?.hasSuffix(" exited with status 7\nits log is \(directory)/part.log") == true)
    }
  }

  @Test func theLastStartedIsStoppedFirst() async throws {
    try await Support.withDirectory { directory in
      let order = Mutex<[String]>([])
      let supervisor = Supervisor(policy: Self.policy, logger: Logger(label: "test"))
      for name in ["postgres", "server"] {
        try await supervisor.launch(
          Self.part(name, "exec sleep 600", in: directory) { name in order.withLock { $0.append(name) } })
      }
      let processes = await supervisor.processes.values
      await supervisor.stop()
      #expect(order.withLock { $0 } == ["server", "postgres"])
      #expect(processes.allSatisfy { !$0.isRunning })
    }
  }

  @Test func aPartThatIgnoresTheRequestIsKilled() async throws {
    try await Support.withDirectory { directory in
      let log = "\(directory)/stubborn.log"
      let child = try await ChildProcess.start(
        "stubborn", executable: "/bin/sh",
        arguments: ["-c", "trap '' TERM; echo deaf; while true; do sleep 600 & wait; done"], logFile: log)
      #expect(try await Support.eventually { Files.read(log) == "deaf\n" })
      let end = await child.stop(SIGTERM, grace: .milliseconds(100))
      #expect(end?.description == "ended by signal 9")
    }
  }

  @Test func waitingForAnEndCanBeCancelled() async throws {
    try await Support.withDirectory { directory in
      let child = try await ChildProcess.start(
        "sleeper", executable: "/bin/sleep", arguments: ["600"], logFile: "\(directory)/log")
      let waiting = Task { await child.waitForEnd() }
      waiting.cancel()
      #expect(await waiting.value == nil)
      #expect(child.isRunning)
      await child.stop(SIGKILL, grace: .seconds(5))
      #expect(await child.waitForEnd()?.description == "ended by signal 9")
    }
  }

  @Test func aProgramThatIsNotThereIsAnError() async throws {
    try await Support.withDirectory { directory in
      await #expect(throws: LocalStackError.self) {
        _ = try await ChildProcess.start(
          "nobody", executable: "\(directory)/nobody", arguments: [], logFile: "\(directory)/log")
      }
    }
  }

  @Test func anotherProcessWithTheSameNumberIsNotSignalled() async throws {
    try await Support.withDirectory { directory in
      let child = try await ChildProcess.start(
        "bystander", executable: "/bin/sleep", arguments: ["600"], logFile: "\(directory)/log")
      let text = try JSON.encode(child.identity)
      let impostor = try JSON.decode(
        text.replacing("\(child.identity.startTicks)", with: "\(child.identity.startTicks + 1)"))
      #expect(!impostor.isAlive && !impostor.send(SIGKILL))
      #expect(child.isRunning && child.identity.isAlive)
      await child.stop(SIGKILL, grace: .seconds(5))
      #expect(!child.identity.isAlive)
    }
  }
}
