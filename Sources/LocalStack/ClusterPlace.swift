import FoundationEssentials
import Glibc
import Logging

/// Where in a data directory the cluster lives.
///
/// Started by root, Postgres runs as an account that can't pass through directories such as `/root`. A cluster that would
/// lie behind one is put under `/var/lib/kauri` instead, and `postgres` in the data directory becomes a link to it.
enum ClusterPlace {
  static let elsewhere = "/var/lib/kauri"

  /// The cluster's directory, in place already or to be made.
  static func find(in dataDirectory: String, logger: Logger) async throws -> String {
    let place = "\(dataDirectory)/postgres"
    let current = try SystemUser.current()
    let user = try SystemUser.forPostgres(existing: place)
    if let target = Files.linkTarget(place), !Files.exists(place) {
      // The home is there but not the cluster: making it was broken off.
      if Files.exists(Files.parent(of: target)) { return target }
      throw LocalStackError.failed(
        "the cluster that \(place) links to is gone", detail: "remove \(dataDirectory) to begin anew")
    }
    if current.userID == user.userID { return place }
    let isNew = !Files.exists(place)
    if try await canReach(isNew ? dataDirectory : "\(place)/.", user) { return place }
    guard isNew else {
      throw LocalStackError.failed(
        "the account \(user.name), which Postgres runs as when root starts it, can't reach \(Files.resolve(place))",
        detail: "make the directories above it passable (chmod o+x)")
    }
    let home = "\(elsewhere)/\(UUID().uuidString.lowercased())"
    try Files.makeDirectory(home, mode: 0o755)
    guard symlink("\(home)/postgres", place) == 0 else {
      throw LocalStackError.failed("can't make the link \(place)", detail: Files.systemError())
    }
    logger.notice("the account \(user.name) can't reach \(dataDirectory), so the cluster is kept in \(home)")
    return "\(home)/postgres"
  }

  /// Asks the system itself, as that account: modes, lists of access and mounts all have a say.
  private static func canReach(_ directory: String, _ user: SystemUser) async throws -> Bool {
    try await Program("/usr/bin/test").run(["-x", directory], as: user).succeeded
  }
}
