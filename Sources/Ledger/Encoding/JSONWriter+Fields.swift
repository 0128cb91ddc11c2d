/// Whole fields, name and value. Those of an absent value aren't written at all.
extension JSONWriter {
  public mutating func field(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }

  public mutating func field(_ key: StaticString, _ value: String?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, integer value: Int64) {
    self.key(key)
    integer(value)
  }

  public mutating func field(_ key: StaticString, integer value: Int64?) {
    if let value { field(key, integer: value) }
  }

  public mutating func field(_ key: StaticString, integer value: Int) {
    field(key, integer: Int64(value))
  }

  public mutating func field(_ key: StaticString, integer value: Int?) {
    if let value { field(key, integer: value) }
  }

  /// An amount in minor units, as a string.
  public mutating func field(_ key: StaticString, amount value: MinorUnits) {
    self.key(key)
    amount(value)
  }

  public mutating func field(_ key: StaticString, amount value: MinorUnits?) {
    if let value { field(key, amount: value) }
  }

  public mutating func field(_ key: StaticString, _ value: Identifier) {
    self.key(key)
    identifier(value)
  }

  public mutating func field(_ key: StaticString, _ value: Identifier?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, _ value: Moment) {
    self.key(key)
    moment(value)
  }

  public mutating func field(_ key: StaticString, _ value: Moment?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, _ value: CalendarDate) {
    self.key(key)
    date(value)
  }

  public mutating func field(_ key: StaticString, _ value: CalendarDate?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, _ value: Currency) {
    self.key(key)
    currency(value)
  }

  public mutating func field(_ key: StaticString, _ value: Currency?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, _ value: AccountNumber) {
    self.key(key)
    accountNumber(value)
  }

  public mutating func field(_ key: StaticString, _ value: AccountNumber?) {
    if let value { field(key, value) }
  }

  public mutating func field(_ key: StaticString, _ value: Bool) {
    self.key(key)
    bool(value)
  }

  public mutating func field(_ key: StaticString, _ value: Bool?) {
    if let value { field(key, value) }
  }

  /// One of the cases of an enumeration, by its raw value.
  @inlinable
  public mutating func field(_ key: StaticString, _ value: some RawRepresentable<String>) {
    field(key, value.rawValue)
  }

  @inlinable
  public mutating func field(_ key: StaticString, _ value: (some RawRepresentable<String>)?) {
    if let value { field(key, value.rawValue) }
  }

  /// A value that is JSON already, in compact form.
  @inlinable
  public mutating func field(_ key: StaticString, raw json: some Collection<UInt8>) {
    self.key(key)
    raw(json)
  }
}
