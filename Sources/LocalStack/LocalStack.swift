/// What a laptop needs to run Kauri: a private Postgres cluster, local signing keys and tokens, and a supervisor that
/// keeps the parts alive.
///
/// `kauri dev` and every integration test use this same code:
///
/// - ``PostgresCluster``: a cluster of its own on a unix socket, reached by peer identity, without any password.
/// - ``LocalIdentity``: keys and bearer tokens that only the local stack honours.
/// - ``DevStack``: both of them, the migrated book and the server, kept running by a ``Supervisor``.
/// - ``KauriProcess``: the built `kauri` executable, started and driven from a test.
///
/// Nothing here is used in production.
public enum LocalStack {
  /// The database that holds the book.
  public static let database = "kauri"
  /// The role that owns the schema and migrates it. Not a superuser.
  public static let ownerRole = "kauri_owner"
  /// The role that the server uses. It owns nothing.
  public static let serverRole = "kauri_server"
}

/// Why the local stack can't do what was asked, told so that whoever typed the command can act on it.
public enum LocalStackError: Error, Sendable, Equatable {
  /// A program that the stack needs isn't installed.
  case programMissing(String)
  /// The data directory was made by a major version of Postgres other than the newest installed one.
  case otherVersion(directory: String, found: String, installed: String)
  /// The data directory belongs to somebody whose files the current user can't use.
  case notOurs(directory: String, owner: String)
  /// Another `kauri dev` uses the data directory. `pid` is its process, when it could be read.
  case inUse(directory: String, pid: Int32?)
  /// A TCP port on the loopback interface is taken.
  case portTaken(Int)
  /// The file system that holds the directory is full, or nearly. `freeBytes` is what is left.
  case noSpace(directory: String, freeBytes: UInt64)
  /// A part of the stack was restarted and died so often that trying further would be noise.
  case gaveUp(part: String, attempts: Int, last: String)
  /// A program failed, or the system refused a call. `detail` is its own words.
  case failed(String, detail: String)
}

extension LocalStackError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .programMissing(let name):
      "\(name) isn't installed; on Debian: apt-get install postgresql"
    case .otherVersion(let directory, let found, let installed):
      "\(directory) was made by Postgres \(found), but this machine has Postgres \(installed). Nothing was changed: "
        + "install Postgres \(found), or choose another --data-dir"
    case .notOurs(let directory, let owner):
      "\(directory) belongs to \(owner). Nothing was changed: run as \(owner) or root, or choose another --data-dir"
    case .inUse(let directory, let pid):
      "another kauri dev\(pid.map { " (process \($0))" } ?? "") is using \(directory)"
    case .portTaken(let port):
      "port \(port) of 127.0.0.1 is taken; choose another with --port, or --port 0 for any free one"
    case .noSpace(let directory, let freeBytes):
      "no disk space: the file system of \(directory) has \(freeBytes / 1_048_576) MiB left"
    case .gaveUp(let part, let attempts, let last):
      "\(part) ended \(attempts) times in a row right after its start, so it isn't started again; the last time: \(last)"
    case .failed(let what, let detail):
      detail.isEmpty ? what : "\(what): \(detail)"
    }
  }
}
