import Glibc

/// What the private cluster is told: who may connect as whom, and the settings that differ from Postgres' defaults.
struct ClusterConfiguration: Sendable {
  /// Accounts of the operating system that may act as each of the roles.
  let accounts: [String]
  let socketDirectory: String
  /// Settings of the caller's, which come last and win.
  let overrides: [String: String]

  /// `pg_hba.conf`: the unix socket only, and who you are is who the kernel says you are.
  let clientAuthentication = """
    # Written at every start.
    local all         all peer map=kauri
    local replication all peer map=kauri

    """

  /// `pg_ident.conf`.
  var identities: String {
    var lines = ["# Written at every start. Map, account of the operating system, role."]
    for account in accounts {
      for role in ["postgres", LocalStack.ownerRole, LocalStack.serverRole] {
        lines.append("kauri \(Self.doubleQuoted(account)) \(role)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The file that `postgresql.conf` includes.
  var settings: String {
    let memory_mib = Self.memory_mib
    var values = [
      ("listen_addresses", ""),
      ("unix_socket_directories", Self.doubleQuoted(socketDirectory)),
      ("max_connections", "100"),
      ("shared_buffers", "\(min(1024, max(256, memory_mib / 8)))MB"),
      ("effective_cache_size", "\(max(512, memory_mib / 2))MB"),
      // The whole point of a ledger: what was acknowledged is on the disk.
      ("fsync", "on"),
      ("synchronous_commit", "on"),
      ("full_page_writes", "on"),
      ("wal_level", "replica"),
      ("max_wal_size", "4GB"),
      ("checkpoint_timeout", "15min"),
      // Compiling a statement costs more than the short ones of a ledger take to run.
      ("jit", "off"),
      ("timezone", "UTC"),
      ("log_timezone", "UTC"),
      ("log_line_prefix", "%m [%p] %q%u@%d "),
      ("logging_collector", "off"),
      ("log_destination", "stderr"),
      ("cluster_name", "kauri"),
    ]
    values.removeAll { overrides.keys.contains($0.0) }
    values += overrides.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return "# Written at every start.\n" + values.map { "\($0.0) = \(Self.singleQuoted($0.1))\n" }.joined()
  }

  private static var memory_mib: Int {
    let bytes = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return max(0, bytes / 1_048_576)
  }

  private static func singleQuoted(_ text: String) -> String {
    "'\(text.replacing("'", with: "''"))'"
  }

  private static func doubleQuoted(_ text: String) -> String {
    "\"\(text.replacing("\"", with: "\"\""))\""
  }
}

/// Text of the form `key=value key=value` that libpq reads as the description of a connection.
enum ConnectionString {
  static func make(_ pairs: [(String, String)]) -> String {
    pairs.map { "\($0.0)=\(quoted($0.1))" }.joined(separator: " ")
  }

  private static func quoted(_ value: String) -> String {
    let isPlain = !value.isEmpty && value.allSatisfy { !$0.isWhitespace && $0 != "'" && $0 != "\\" }
    guard !isPlain else { return value }
    return "'\(value.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
  }
}
