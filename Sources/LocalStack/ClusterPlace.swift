import FoundationEssentials
import Glibc
import Logging

/// Where in a data directory the cluster lives.
///
/// Started by root, Postgres runs as an account that can't pass through directories such as `/root`. A cluster that
/// would lie behind one is put under `/var/lib/kauri` instead, and `postgres` in the data directory becomes a link to
/// it.
enum ClusterPlace {
  static let elsewhere = "/var/lib/kauri"

  /// Whether a data directory has a cluster already, or a link to where it was put.
  static func isTaken(in dataDirectory: String) -> Bool {
    let place = "\(dataDirectory)/postgres"
    return Files.exists(place) || Files.linkTarget(place) != nil
  }

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
    if Files.exists(place) {
      // The link itself may lie where that account can't go; Postgres is given what it points to.
      let cluster = Files.resolve(place)
      guard try await canReach(cluster, user) else {
        throw LocalStackError.failed(
          "the account \(user.name), which Postgres runs as when root starts it, can't reach \(cluster)",
          detail: "make the directories above it passable (chmod o+x)")
      }
      return cluster
    }
    if try await canReach(dataDirectory, user) { return place }
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
