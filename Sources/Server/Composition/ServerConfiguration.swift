public import Commands

/// What `kauri serve` is told.
public struct ServerConfiguration: Sendable {
  /// A libpq connection string, of the server's role.
  public var database: String
  public var host: String
  /// 0 for any free one.
  public var port: Int
  /// The file with the public keys that tokens are verified with.
  public var keyFile: String
  public var expectations: TokenExpectations
  public var masterKeyFile: String
  /// The key that checkpoints are signed with; nil leaves that to other servers.
  public var checkpointKeyFile: String?
  /// Commands in a batch, at most.
  public var batchMaximum: Int?
  /// Accounts that the writer remembers; 0 turns that off.
  public var stateCache: Int?
  /// Whether the read models that follow the log are kept here.
  public var keepsReadModels: Bool
  /// Connections to the database that queries share.
  public var poolSize: Int
  public var version: String
  /// The rules that it can decide by; it refuses to write to a book that follows others.
  public var ruleSets = RuleSets.standard

  public init(
    database: String, host: String, port: Int, keyFile: String, expectations: TokenExpectations,
    masterKeyFile: String, checkpointKeyFile: String? = nil, batchMaximum: Int? = nil, stateCache: Int? = nil,
    keepsReadModels: Bool = true,
    poolSize: Int = 12, version: String
  ) {
    self.database = database
    self.host = host
    self.port = port
    self.keyFile = keyFile
    self.expectations = expectations
    self.masterKeyFile = masterKeyFile
    self.checkpointKeyFile = checkpointKeyFile
    self.batchMaximum = batchMaximum
    self.stateCache = stateCache
    self.keepsReadModels = keepsReadModels
    self.poolSize = poolSize
    self.version = version
  }
}
