import Ledger
import Postgres

/// Entries on their way into their table, a column at a time.
struct EntryColumns {
  private var accounts: ArrayBuilder<PGUUID>
  private var positions: ArrayBuilder<PGInt8>
  private var legs: ArrayBuilder<PGInt2>
  private var kinds: ArrayBuilder<PGText>
  private var movements: ArrayBuilder<PGUUID>
  private var changes: ArrayBuilder<PGInt8>
  private var balances: ArrayBuilder<PGInt8>
  private var counterparties: ArrayBuilder<PGUUID>
  private var bookDates: ArrayBuilder<PGDate>
  private var valueDates: ArrayBuilder<PGDate>
  private var moments: ArrayBuilder<PGTimestamptz>
  private var subjects: ArrayBuilder<PGUUID>
  private var texts: ArrayBuilder<PGBytea>
  private var used: ArrayBuilder<PGInt8>

  init(reserving count: Int) {
    accounts = .uuid(reserving: count)
    positions = .int8(reserving: count)
    legs = .int2(reserving: count)
    kinds = .text(reserving: count, bytesEach: 8)
    movements = .uuid(reserving: count)
    changes = .int8(reserving: count)
    balances = .int8(reserving: count)
    counterparties = .uuid(reserving: count)
    bookDates = .date(reserving: count)
    valueDates = .date(reserving: count)
    moments = .timestamptz(reserving: count)
    subjects = .uuid(reserving: count)
    texts = .bytea(reserving: count)
    used = .int8(reserving: count)
  }

  /// - Parameter after: the account's running totals, this posting included.
  mutating func append(_ posting: EntryChange.Posting, after: EntriesModel.Totals) throws {
    accounts.append(posting.accountID)
    positions.append(posting.position)
    legs.append(Int16(clamping: posting.leg))
    kinds.append(posting.kind.rawValue)
    movements.append(posting.movementID)
    changes.append(posting.change)
    balances.append(after.balance)
    counterparties.append(posting.counterparty)
    bookDates.append(daysSince1970: posting.bookDate.daysSince1970)
    valueDates.append(daysSince1970: posting.valueDate?.daysSince1970)
    moments.append(microsecondsSince1970: posting.moment.microseconds)
    subjects.append(posting.text?.subject)
    texts.append(try posting.text?.sealedColumn)
    used.append(after.used)
  }

  /// As `Session.copyIn` takes them.
  var columns: [(name: String, values: Parameter)] {
    [
      ("account_id", accounts.parameter), ("position", positions.parameter), ("leg", legs.parameter),
      ("kind", kinds.parameter), ("movement_id", movements.parameter), ("change", changes.parameter),
      ("balance", balances.parameter), ("counterparty", counterparties.parameter), ("book_date", bookDates.parameter),
      ("value_date", valueDates.parameter), ("moment", moments.parameter), ("text_subject", subjects.parameter),
      ("text", texts.parameter), ("used", used.parameter),
    ]
  }
}
