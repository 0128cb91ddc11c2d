import Glibc

/// The seed that a failed run printed.
func seedFromEnvironment() -> UInt64? {
  getenv("KAURI_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
}
