/// Which Kauri this is.
enum KauriVersion {
  /// Semantic version (semver.org) of the release.
  static let current = "0.1.0"
}
