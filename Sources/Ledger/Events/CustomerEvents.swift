/// A person or company is known to the bank.
public struct CustomerRegistered: EventContent {
  public static let type: StaticString = "CustomerRegistered"
  public var instruction: RegisterCustomer

  public init(instruction: RegisterCustomer) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try RegisterCustomer(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, instruction.customerID) }
}

/// The customer's identity has been checked, or a suspension was lifted.
public struct CustomerVerified: EventContent {
  public static let type: StaticString = "CustomerVerified"
  public var instruction: VerifyCustomer

  public init(instruction: VerifyCustomer) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try VerifyCustomer(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, instruction.customerID) }
}

/// The customer's identity could not be established.
public struct CustomerRejected: EventContent {
  public static let type: StaticString = "CustomerRejected"
  public var instruction: RejectCustomer

  public init(instruction: RejectCustomer) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try RejectCustomer(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, instruction.customerID) }
}

/// The customer's money stopped moving.
public struct CustomerSuspended: EventContent {
  public static let type: StaticString = "CustomerSuspended"
  public var instruction: SuspendCustomer

  public init(instruction: SuspendCustomer) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try SuspendCustomer(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, instruction.customerID) }
}

/// Nobody can find out any more who the customer was: its key, and every text under it, is gone.
public struct CustomerErased: EventContent {
  public static let type: StaticString = "CustomerErased"
  public var instruction: EraseCustomer
  /// The customer's accounts, whose names went with the key, in the order they were opened.
  public var accounts: [AccountID]

  public init(instruction: EraseCustomer, accounts: [AccountID]) {
    self.instruction = instruction
    self.accounts = accounts
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try EraseCustomer(from: &object, in: context)
    accounts = []
    for value in try object.required("account_ids").array() { accounts.append(try value.identifier()) }
  }

  public func write(to writer: inout RecordWriter) {
    instruction.write(to: &writer)
    writer.json.key("account_ids")
    writer.json.beginArray()
    for account in accounts { writer.json.identifier(account) }
    writer.json.endArray()
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, instruction.customerID) }
}
