import Commands
import EventStore
import Ledger
import Postgres
import Synchronization

/// Fills a generation of a model that follows the log, with the very changes that its runner applies.
final class FollowingFill<Model: AsyncReadModel>: GenerationFill {
  private struct State {
    var memory: Model.Memory
    var waiting: [Model.Change] = []
  }

  private let model = Model()
  private let generation: Generation
  private let state: Mutex<State>

  init(_ generation: Generation) {
    self.generation = generation
    state = Mutex(State(memory: model.emptyMemory))
  }

  var eventTypes: Set<String> { Model.eventTypes }

  func portion(of events: [AppendedEvent]) -> [Model.Change] {
    events.flatMap { model.changes(for: RecordedEvent(origin: $0.origin, event: $0.event)) }
  }

  /// At once: a killed rebuild goes on where its last transaction ended.
  func take(_ portion: [Model.Change]) -> Bool {
    state.withLock { $0.waiting += portion }
    return true
  }

  func arrange() {}

  func write(_ session: Session) throws {
    try state.withLock { state in
      let changes = state.waiting
      state.waiting = []
      try model.apply(changes, to: generation, remembering: &state.memory, session)
    }
  }

  func takeWritten() -> WrittenRows { .any }
}
