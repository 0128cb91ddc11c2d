/// A type's number in Postgres' catalogue (`pg_type.oid`). The built-in ones never change between versions.
public struct OID: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32

  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The server works the type out from the statement.
  @inlinable public static var unspecified: OID { OID(rawValue: 0) }
  @inlinable public static var bool: OID { OID(rawValue: 16) }
  @inlinable public static var bytea: OID { OID(rawValue: 17) }
  @inlinable public static var name: OID { OID(rawValue: 19) }
  @inlinable public static var int8: OID { OID(rawValue: 20) }
  @inlinable public static var int2: OID { OID(rawValue: 21) }
  @inlinable public static var int4: OID { OID(rawValue: 23) }
  @inlinable public static var text: OID { OID(rawValue: 25) }
  @inlinable public static var json: OID { OID(rawValue: 114) }
  @inlinable public static var float8: OID { OID(rawValue: 701) }
  @inlinable public static var unknown: OID { OID(rawValue: 705) }
  @inlinable public static var bpchar: OID { OID(rawValue: 1042) }
  @inlinable public static var varchar: OID { OID(rawValue: 1043) }
  @inlinable public static var date: OID { OID(rawValue: 1082) }
  @inlinable public static var timestamptz: OID { OID(rawValue: 1184) }
  @inlinable public static var uuid: OID { OID(rawValue: 2950) }
  @inlinable public static var jsonb: OID { OID(rawValue: 3802) }

  @inlinable public static var boolArray: OID { OID(rawValue: 1000) }
  @inlinable public static var byteaArray: OID { OID(rawValue: 1001) }
  @inlinable public static var int2Array: OID { OID(rawValue: 1005) }
  @inlinable public static var int4Array: OID { OID(rawValue: 1007) }
  @inlinable public static var textArray: OID { OID(rawValue: 1009) }
  @inlinable public static var int8Array: OID { OID(rawValue: 1016) }
  @inlinable public static var dateArray: OID { OID(rawValue: 1182) }
  @inlinable public static var timestamptzArray: OID { OID(rawValue: 1185) }
  @inlinable public static var uuidArray: OID { OID(rawValue: 2951) }

  /// Numbers from here on belong to types that the database's own schema defines (`FirstNormalObjectId`).
  static let firstUserDefined: UInt32 = 16_384

  /// Types whose binary form is the text itself; of the user-defined ones, an enum's label is.
  var isTextual: Bool {
    switch self {
    case .text, .varchar, .bpchar, .name, .json, .unknown: true
    default: rawValue >= OID.firstUserDefined
    }
  }
}
