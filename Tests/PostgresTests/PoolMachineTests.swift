import Postgres
import Testing

/// What is told to the machine, and what it must answer. A table a test: a row a step.
@Suite struct PoolMachineTests {
  enum Event {
    case acquire(Int)
    case withdraw(Int, PoolMachine.Refusal)
    case opened(Int)
    case openFailed(Int)
    case released(Int, reusable: Bool)
    case closed(Int)
    case shutDown
  }

  struct Story: CustomTestStringConvertible {
    let testDescription: String
    var maximumSize = 2
    var maximumWaiting = 1
    let steps: [(Event, [PoolMachine.Action])]
  }

  static let stories: [Story] = [
    Story(
      testDescription: "a connection is opened when somebody comes, lent, and lent again",
      steps: [
        (.acquire(1), [.open(1)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.released(1, reusable: true), []),
        (.acquire(2), [.lend(1, to: 2)]),
      ]),
    Story(
      testDescription: "callers are served in order of arrival",
      maximumSize: 1, maximumWaiting: 2,
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), []),
        (.acquire(3), []),
        (.acquire(4), [.refuse(4, .tooManyWaiting)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.released(1, reusable: true), [.lend(1, to: 2)]),
        (.released(1, reusable: true), [.lend(1, to: 3)]),
        (.released(1, reusable: true), []),
      ]),
    Story(
      testDescription: "the connection last given back is lent first",
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), [.open(2)]),
        (.opened(2), [.lend(2, to: 1)]),
        (.opened(1), [.lend(1, to: 2)]),
        (.released(2, reusable: true), []),
        (.released(1, reusable: true), []),
        (.acquire(3), [.lend(1, to: 3)]),
        (.acquire(4), [.lend(2, to: 4)]),
      ]),
    Story(
      testDescription: "with no room to wait, as many are served as there are connections",
      maximumSize: 2, maximumWaiting: 0,
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), [.open(2)]),
        (.acquire(3), [.refuse(3, .tooManyWaiting)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.opened(2), [.lend(2, to: 2)]),
        (.acquire(4), [.refuse(4, .tooManyWaiting)]),
      ]),
    Story(
      testDescription: "a lost connection is closed, and replaced once it is, if somebody waits",
      maximumSize: 1,
      steps: [
        (.acquire(1), [.open(1)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.acquire(2), []),
        (.released(1, reusable: false), [.close(1)]),
        (.closed(1), [.open(2)]),
        (.opened(2), [.lend(2, to: 2)]),
        (.released(2, reusable: false), [.close(2)]),
        (.closed(2), []),
      ]),
    Story(
      testDescription: "a failure to connect goes to whoever has waited longest, and the next gets a try of its own",
      maximumSize: 1, maximumWaiting: 2,
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), []),
        (.openFailed(1), [.refuse(1, .connectFailed), .open(2)]),
        (.openFailed(2), [.refuse(2, .connectFailed)]),
        (.acquire(3), [.open(3)]),
        (.opened(3), [.lend(3, to: 3)]),
      ]),
    Story(
      testDescription: "a failure to connect that nobody waits for any more is nobody's",
      steps: [
        (.acquire(1), [.open(1)]),
        (.withdraw(1, .timedOut), [.refuse(1, .timedOut)]),
        (.openFailed(1), []),
      ]),
    Story(
      testDescription: "who has given up gets nothing, and a connection opened for them stays for the next",
      steps: [
        (.acquire(1), [.open(1)]),
        (.withdraw(1, .cancelled), [.refuse(1, .cancelled)]),
        (.withdraw(1, .timedOut), []),
        (.opened(1), []),
        (.acquire(2), [.lend(1, to: 2)]),
      ]),
    Story(
      testDescription: "who has been served can't be withdrawn",
      steps: [
        (.acquire(1), [.open(1)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.withdraw(1, .cancelled), []),
        (.released(1, reusable: true), []),
      ]),
    Story(
      testDescription: "giving back twice gives back once",
      steps: [
        (.acquire(1), [.open(1)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.released(1, reusable: true), []),
        (.released(1, reusable: true), []),
        (.acquire(2), [.lend(1, to: 2)]),
        (.acquire(3), [.open(2)]),
      ]),
    Story(
      testDescription: "an empty pool has shut down at once, and refuses from then on",
      steps: [
        (.shutDown, [.finish]),
        (.shutDown, []),
        (.acquire(1), [.refuse(1, .shutDown)]),
      ]),
    Story(
      testDescription: "a shutdown ends with the last connection: idle, lent or on its way",
      maximumSize: 3,
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), [.open(2)]),
        (.opened(1), [.lend(1, to: 1)]),
        (.opened(2), [.lend(2, to: 2)]),
        (.released(1, reusable: true), []),
        (.acquire(3), [.lend(1, to: 3)]),
        (.acquire(4), [.open(3)]),
        (.released(1, reusable: true), [.lend(1, to: 4)]),
        (.released(1, reusable: true), []),
        (.shutDown, [.close(1)]),
        (.closed(1), []),
        (.opened(3), [.close(3)]),
        (.closed(3), []),
        (.released(2, reusable: true), [.close(2)]),
        (.closed(2), [.finish]),
      ]),
    Story(
      testDescription: "a shutdown refuses whoever waits",
      maximumSize: 1,
      steps: [
        (.acquire(1), [.open(1)]),
        (.acquire(2), []),
        (.shutDown, [.refuse(1, .shutDown), .refuse(2, .shutDown)]),
        (.openFailed(1), [.finish]),
      ]),
  ]

  @Test(arguments: stories)
  func follows(_ story: Story) {
    var machine = PoolMachine(maximumSize: story.maximumSize, maximumWaiting: story.maximumWaiting)
    for (number, (event, expected)) in story.steps.enumerated() {
      #expect(tell(event, to: &machine) == expected, "step \(number + 1): \(event)")
      #expect(machine.size <= story.maximumSize)
    }
  }

  /// Whatever happens in whatever order: the pool never outgrows its size, nobody is served twice or forgotten, and no
  /// connection is lent to two.
  @Test func keepsItsPromisesWhateverHappens() {
    var random = Seed.generator()
    for _ in 0..<200 {
      var machine = PoolMachine(
        maximumSize: Int.random(in: 1...4, using: &random), maximumWaiting: Int.random(in: 0...5, using: &random))
      var model = Model()
      for waiter in 1...100 {
        let actions: [PoolMachine.Action]
        switch Int.random(in: 0..<7, using: &random) {
        case 0, 1:
          model.waiting.insert(waiter)
          actions = machine.acquire(waiter)
        case 2: actions = model.anyOf(model.opening, &random).map { model.didOpen($0, &machine) } ?? []
        case 3: actions = model.anyOf(model.opening, &random).map { model.failed($0, &machine) } ?? []
        case 4: actions = model.anyOf(model.lent, &random).map { model.giveBack($0, true, &machine) } ?? []
        case 5: actions = model.anyOf(model.lent, &random).map { model.giveBack($0, false, &machine) } ?? []
        default: actions = model.anyOf(model.waiting, &random).map { machine.withdraw($0, .timedOut) } ?? []
        }
        model.apply(actions, &machine)
        #expect(machine.size <= machine.maximumSize)
        #expect(Set(machine.waiting) == model.waiting)
        #expect(machine.lent == model.lent)
        #expect(machine.waiting.isEmpty || machine.idle.isEmpty, "somebody waits beside an idle connection")
      }
      model.apply(machine.shutDown(), &machine)
      #expect(model.waiting.isEmpty)
    }
  }

  private func tell(_ event: Event, to machine: inout PoolMachine) -> [PoolMachine.Action] {
    switch event {
    case .acquire(let waiter): machine.acquire(waiter)
    case .withdraw(let waiter, let refusal): machine.withdraw(waiter, refusal)
    case .opened(let id): machine.opened(id)
    case .openFailed(let id): machine.openFailed(id)
    case .released(let id, let reusable): machine.released(id, isReusable: reusable)
    case .closed(let id): machine.closed(id)
    case .shutDown: machine.shutDown()
    }
  }

  /// The world outside the machine, as its answers leave it.
  private struct Model {
    var waiting: Set<Int> = []
    var opening: Set<Int> = []
    var lent: Set<Int> = []

    /// Sorted first: a set's own order differs from run to run, and the seed would not bring a failure back.
    func anyOf(_ ids: Set<Int>, _ random: inout SplitMix) -> Int? { ids.sorted().randomElement(using: &random) }

    mutating func didOpen(_ id: Int, _ machine: inout PoolMachine) -> [PoolMachine.Action] {
      opening.remove(id)
      return machine.opened(id)
    }

    mutating func failed(_ id: Int, _ machine: inout PoolMachine) -> [PoolMachine.Action] {
      opening.remove(id)
      return machine.openFailed(id)
    }

    mutating func giveBack(_ id: Int, _ reusable: Bool, _ machine: inout PoolMachine) -> [PoolMachine.Action] {
      lent.remove(id)
      return machine.released(id, isReusable: reusable)
    }

    mutating func apply(_ actions: [PoolMachine.Action], _ machine: inout PoolMachine) {
      for action in actions {
        switch action {
        case .lend(let id, let waiter):
          #expect(waiting.remove(waiter) != nil, "served without waiting, or twice")
          #expect(lent.insert(id).inserted, "lent to two")
        case .open(let id): opening.insert(id)
        case .close(let id): apply(machine.closed(id), &machine)
        case .refuse(let waiter, _): #expect(waiting.remove(waiter) != nil, "refused without waiting")
        case .finish: break
        }
      }
    }
  }
}
