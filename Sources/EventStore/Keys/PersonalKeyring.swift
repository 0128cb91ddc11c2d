public import Crypto
import FoundationEssentials
public import Ledger
public import Postgres
import Synchronization

/// The keys under which personal text is sealed: one a customer, and one of the book's own for text that concerns no
/// customer.
///
/// A subject's key is 32 random bytes, kept in `personal_keys` wrapped with AES-256-GCM under a key derived from the
/// master key; a bounded number of them is remembered unwrapped. Erasing the row erases every text of the subject,
/// wherever it was copied to. Other keys derived from the master key hash the content of commands, and make the ids of
/// Kauri's own.
///
/// Look-ups never go to the database: whoever seals or opens loads the keys first, within its own transaction.
///
/// A key that another server has erased must not open anything here for long. So a remembered key opens text for
/// `trust` after the database was asked for it, and for as long as `learnErasures` is called at least that often; else
/// it has to be loaded again.
public final class PersonalKeyring: Sendable {
  /// The subject of the book's own key. It is a good one to load when a server starts: a wrong master key shows at
  /// once.
  public static let book = Identifier.zero

  private let wrapping: SymmetricKey
  private let content: HMAC<SHA256>
  /// Ids of the commands that Kauri gives by itself.
  public let ownCommandIDs: OwnCommandIDs
  private let memory: Mutex<KeyMemory>
  private let absenceLifetime: Duration
  private let trust: Duration

  /// - Parameters:
  ///   - masterKey: 32 bytes. Everything that was wrapped or hashed with it can be used with it only.
  ///   - capacity: keys to remember, at most. The half of them that was used last stays; a batch must not name more
  ///     subjects than that.
  public convenience init(masterKey: SymmetricKey, capacity: Int = 65_536) {
    self.init(masterKey: masterKey, capacity: capacity, absenceLifetime: .seconds(1), trust: .seconds(5))
  }

  /// - Parameters:
  ///   - absenceLifetime: for how long a key that isn't there counts as erased without looking again.
  ///   - trust: for how long a key opens text after the database last said that it is there.
  package init(masterKey: SymmetricKey, capacity: Int, absenceLifetime: Duration, trust: Duration = .seconds(5)) {
    self.absenceLifetime = absenceLifetime
    self.trust = trust
    wrapping = masterKey.derived("kauri personal key wrapping 1")
    content = HMAC(key: masterKey.derived("kauri content hash 1"))
    ownCommandIDs = OwnCommandIDs(key: masterKey.derived("kauri own command ids 1"))
    memory = Mutex(KeyMemory(cache: KeyCache(capacity: capacity)))
  }

  /// For whoever leaves personal text as it stands in the log: the master key is a random one, so nothing is opened.
  public static var openingNothing: PersonalKeyring { PersonalKeyring(masterKey: SymmetricKey(size: .bits256)) }

  // MARK: Content of commands

  /// Sixteen bytes that tell whether two commands with one id are the same: HMAC-SHA-256, cut in half. Keyed, because
  /// whoever could compute it could find out a short reference by trying.
  public func contentHash(of bytes: [UInt8]) -> [UInt8] {
    var hash = content
    hash.update(data: bytes)
    return hash.finalize().withUnsafeBytes { Array($0.prefix(16)) }
  }

  // MARK: Personal text

  /// Opens sealed text, as it stands in the log or in a read model's row.
  ///
  /// - Returns: nil once the subject's key has been erased.
  /// - Throws: `MissingPersonalKeys` when the key hasn't been loaded; `PersonalKeyFault.altered` when the text isn't
  ///   what was sealed.
  public func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    guard let known = find(subject) else { throw MissingPersonalKeys([subject]) }
    guard case .present(let key, let since) = known else { return nil }
    guard isTrusted(since: since) else { throw MissingPersonalKeys([subject]) }
    guard let text = key.open(sealed, field: field) else {
      throw PersonalKeyFault.altered(subject: subject, field: field.description)
    }
    return text
  }

  func find(_ subject: Identifier) -> KnownKey? {
    let known = memory.withLock { $0.find(subject) }
    if case .absent(let limit)? = known, ContinuousClock.now >= limit { return nil }
    return known
  }

  /// Whether what the database said at `since` holds still.
  private func isTrusted(since: ContinuousClock.Instant) -> Bool {
    let oldest = ContinuousClock.now - trust
    return since > oldest || memory.withLock { $0.follows(since: since, confirmedAfter: oldest) }
  }

  // MARK: Loading

  /// Makes the keys of `subjects` known. Runs its statements on `session`, within the transaction that is open there,
  /// if any.
  ///
  /// A key that is made becomes usable at once, so that the same transaction can seal with it. When that transaction
  /// doesn't commit, or nobody knows whether it did, `forget` the keys that this returned.
  ///
  /// - Parameter creatingMissing: whether subjects without a key get one (a writer), or are taken for erased (a
  ///   reader).
  /// - Returns: the subjects whose keys were made.
  /// - Throws: `PersonalKeyFault.wrongMasterKey`, and whatever the session throws.
  @discardableResult
  public func loadKeys(
    for subjects: Set<Identifier>, session: Session, creatingMissing: Bool
  ) throws -> Set<Identifier> {
    // What wasn't there may be by now, so only keys that are known to be there, or gone for ever, are taken from memory.
    // A writer seals with what it remembers: under a key that was erased meanwhile, the text is as good as erased.
    var missing = subjects.filter { subject in
      switch find(subject) {
      case .present(_, let since): !creatingMissing && !isTrusted(since: since)
      case .erased: false
      case .absent, nil: true
      }
    }
    guard !missing.isEmpty else { return [] }
    missing.subtract(try fetch(missing, session))
    var created: Set<Identifier> = []
    if creatingMissing, !missing.isEmpty {
      created = try create(missing, session)
      // Another server was faster with the others.
      missing.subtract(created)
      do {
        if !missing.isEmpty { missing.subtract(try fetch(missing, session)) }
        if !missing.isEmpty { missing.subtract(try fetchErased(missing, session)) }
      } catch {
        // The caller doesn't learn of those that were made, and their rows go with the transaction.
        forget(created)
        throw error
      }
    }
    let limit = ContinuousClock.now + absenceLifetime
    memory.withLock { memory in for subject in missing { memory.insert(.absent(until: limit), for: subject) } }
    return created
  }

  /// As `loadKeys` for a reader who names the keys that were changed and goes on: they are taken for erased.
  ///
  /// - Returns: the subjects whose keys can't be unwrapped.
  /// - Throws: `PersonalKeyFault.wrongMasterKey` when no other key can be unwrapped either; what the session throws.
  func loadReadableKeys(for subjects: Set<Identifier>, session: Session) throws -> Set<Identifier> {
    do {
      try loadKeys(for: subjects, session: session, creatingMissing: false)
      return []
    } catch let fault as PersonalKeyFault {
      var altered: Set<Identifier> = []
      for subject in subjects.sorted() {
        do {
          try loadKeys(for: [subject], session: session, creatingMissing: false)
        } catch PersonalKeyFault.wrongMasterKey {
          altered.insert(subject)
        }
      }
      guard try unwrapsSome(session) else { throw fault }
      let limit = ContinuousClock.now + absenceLifetime
      memory.withLock { memory in for subject in altered { memory.insert(.absent(until: limit), for: subject) } }
      return altered
    }
  }

  /// Whether any of some keys that are there can be unwrapped: then the master key is the right one.
  private func unwrapsSome(_ session: Session) throws -> Bool {
    let rows = try session.execute("select subject, wrapped_key from personal_keys order by subject limit 1000")
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      if (try? unwrap(try rows.bytes(row, 1), of: Identifier(high: high, low: low))) != nil { return true }
    }
    return false
  }

  /// Drops what is remembered of these subjects, after a transaction that failed.
  public func forget(_ subjects: Set<Identifier>) {
    memory.withLock { memory in for subject in subjects { memory.cache.remove(subject) } }
  }

  // MARK: Erasures

  /// Notes that these subjects' keys are gone for ever: after the transaction that erased them has committed.
  public func markErased(_ subjects: some Sequence<Identifier>) {
    memory.withLock { $0.markErased(subjects) }
  }

  /// Learns which keys other servers have erased since it was last called. Called every so often, well within `trust`,
  /// it keeps remembered keys in use.
  ///
  /// - Throws: what the session throws; then keys lose their trust when it is time.
  public func learnErasures(_ session: Session) throws {
    let asked = ContinuousClock.now
    let newest = try session.execute("select coalesce(max(number), 0) from erased_subjects").int8(0, 0)
    let known = memory.withLock { $0.followed }
    // The first time, and when the database was exchanged for an older one, nothing that is remembered is worth
    // anything.
    guard var reached = known, reached <= newest else {
      return memory.withLock { $0.beginFollowing(at: newest, asked: asked) }
    }
    while reached < newest {
      let rows = try session.execute(
        "select number, subject from erased_subjects where number > $1 order by number limit 1000", [.int8(reached)])
      guard rows.count > 0 else { break }
      var subjects: [Identifier] = []
      for row in 0..<rows.count {
        reached = try rows.int8(row, 0)
        let (high, low) = try rows.uuid(row, 1)
        subjects.append(Identifier(high: high, low: low))
      }
      memory.withLock { memory in
        memory.markErased(subjects)
        memory.followed = reached
      }
    }
    memory.withLock { $0.confirmed = asked }
  }

  /// - Returns: the subjects that have been erased.
  private func fetchErased(_ subjects: Set<Identifier>, _ session: Session) throws -> Set<Identifier> {
    var wanted = ArrayBuilder.uuid(reserving: subjects.count)
    for subject in subjects { wanted.append(subject.high, subject.low) }
    let rows = try session.execute(
      "select subject from erased_subjects where subject = any($1)", [wanted.parameter])
    var erased: Set<Identifier> = []
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      erased.insert(Identifier(high: high, low: low))
    }
    markErased(erased)
    return erased
  }

  // MARK: Rows

  /// - Returns: the subjects whose keys were there.
  private func fetch(_ subjects: Set<Identifier>, _ session: Session) throws -> Set<Identifier> {
    let asked = ContinuousClock.now
    var wanted = ArrayBuilder.uuid(reserving: subjects.count)
    for subject in subjects { wanted.append(subject.high, subject.low) }
    let rows = try session.execute(
      "select subject, wrapped_key from personal_keys where subject = any($1)", [wanted.parameter])
    var found: [Identifier: SubjectKey] = [:]
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      let subject = Identifier(high: high, low: low)
      found[subject] = SubjectKey(try unwrap(try rows.bytes(row, 1), of: subject))
    }
    remember(found, since: asked)
    return Set(found.keys)
  }

  /// - Returns: the subjects whose keys were made; the others have one already, made by somebody else a moment ago, or
  ///   were erased and get none.
  private func create(_ subjects: Set<Identifier>, _ session: Session) throws -> Set<Identifier> {
    var ids = ArrayBuilder.uuid(reserving: subjects.count)
    var wrapped = ArrayBuilder.bytea(reserving: subjects.count, bytesEach: 60)
    var keys: [Identifier: SubjectKey] = [:]
    // In one order, so that two servers that make keys for the same subjects don't wait for each other in a circle.
    for subject in subjects.sorted() {
      let secret = SymmetricKey(size: .bits256)
      ids.append(subject.high, subject.low)
      wrapped.append(try wrap(secret, of: subject))
      keys[subject] = SubjectKey(secret)
    }
    let rows = try session.execute(
      """
      insert into personal_keys (subject, wrapped_key)
      select * from unnest($1::uuid[], $2::bytea[])
      on conflict (subject) do nothing
      returning subject
      """, [ids.parameter, wrapped.parameter])
    var created: Set<Identifier> = []
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      created.insert(Identifier(high: high, low: low))
    }
    remember(keys.filter { created.contains($0.key) }, since: .now)
    return created
  }

  private func remember(_ keys: [Identifier: SubjectKey], since: ContinuousClock.Instant) {
    memory.withLock { memory in
      for (subject, key) in keys { memory.insert(.present(key, since: since), for: subject) }
    }
  }

  // MARK: Wrapping

  /// Nonce, ciphertext and tag. The subject is authenticated with it, so that a key can't be moved to another row.
  private func wrap(_ secret: SymmetricKey, of subject: Identifier) throws -> [UInt8] {
    let plain = secret.withUnsafeBytes { Array($0) }
    let box = try AES.GCM.seal(plain, using: wrapping, authenticating: PersonalKeyring.bytes(of: subject))
    return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
  }

  private func unwrap(_ wrapped: [UInt8], of subject: Identifier) throws(PersonalKeyFault) -> SymmetricKey {
    guard let box = try? AES.GCM.SealedBox(combined: wrapped),
      let secret = try? AES.GCM.open(box, using: wrapping, authenticating: PersonalKeyring.bytes(of: subject)),
      secret.count == SubjectKey.length
    else { throw .wrongMasterKey(subject: subject) }
    return SymmetricKey(data: secret)
  }

  private static func bytes(of subject: Identifier) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: subject.high)
    bytes.append(bigEndian: subject.low)
    return bytes
  }
}

/// Keys that `PersonalKeyring.loadKeys` has to load before this can be done.
public struct MissingPersonalKeys: Error, Hashable, Sendable {
  public let subjects: Set<Identifier>

  public init(_ subjects: Set<Identifier>) {
    self.subjects = subjects
  }
}

/// What is wrong with a key or with what it sealed.
public enum PersonalKeyFault: Error, Hashable, Sendable {
  /// The subject's key can't be unwrapped: the master key isn't the one it was wrapped with, or the row was changed.
  case wrongMasterKey(subject: Identifier)
  /// The text wasn't sealed with the subject's key for this field, or was changed since.
  case altered(subject: Identifier, field: String)
}

extension PersonalKeyFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongMasterKey(let subject):
      "the key of subject \(subject) can't be unwrapped: this isn't the master key that the book was written with, "
        + "or the key's row was changed"
    case .altered(let subject, let field):
      "the sealed \(field) of subject \(subject) isn't what was sealed: it was changed, or moved here from elsewhere"
    }
  }
}
