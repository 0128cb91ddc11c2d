import EventStore

/// A read model that can be rebuilt: its name, its tables, and what fills a generation of them.
public struct ReadModel: Sendable {
  public let name: String
  /// By their names in the first generation.
  package let tables: [String]
  /// The form of the tables that this build makes.
  let shape: Int
  /// Whether the writer keeps it, in the transaction of the events; the others follow the log.
  let isInline: Bool
  /// Whether each of its rows is found by one id, as those are that `WrittenRows` names.
  var isKeyedByOne: Bool { isInline && name != InlineModel.book.rawValue && name != InlineModel.sanctions.rawValue }
  /// Whether any of its many rows may have been written when something was: its fill can't say which.
  var isComparedWhole: Bool { name == InlineModel.sanctions.rawValue }
  /// The model that this one is never ahead of.
  let follows: String?
  private let makeFill: @Sendable (Generation, EventCodec) -> any GenerationFill

  /// Every read model there is: first those that decisions read.
  public static let all: [ReadModel] =
    InlineModel.allCases.map { ReadModel($0) } + [
      ReadModel(EntriesModel.self), ReadModel(CustomersOverviewModel.self), ReadModel(DeclinesModel.self),
      ReadModel(AccessLogModel.self),
    ]

  public static func named(_ name: String) -> ReadModel? { all.first { $0.name == name } }

  /// A model that follows the log.
  package init<Model: AsyncReadModel>(_: Model.Type) {
    name = Model.name
    tables = Model.tables
    shape = Model.shape
    isInline = false
    follows = Model.follows
    makeFill = { generation, _ in FollowingFill<Model>(generation) }
  }

  init(_ model: InlineModel) {
    name = model.rawValue
    tables = model.tables
    shape = 1
    isInline = true
    follows = nil
    makeFill = { generation, codec in InlineFill(model, generation) }
  }

  func fill(_ generation: Generation, _ codec: EventCodec) -> any GenerationFill { makeFill(generation, codec) }
}
