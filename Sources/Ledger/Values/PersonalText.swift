/// Text about a person that somebody may later ask to have erased: a name, a date of birth, a free-text reference.
///
/// In memory it is clear or sealed; in the log it is always sealed under the key of its subject, so that erasing the
/// key erases the text everywhere while every byte of the log, and every proof over it, stays as it was.
public struct PersonalText: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case clear(String)
    /// AES-GCM nonce, ciphertext and tag, as the vault made them.
    case sealed([UInt8])
    /// The subject's key is gone; nobody can read this again.
    case erased
  }

  /// Whose key seals it: a customer's id, or zero for the book's own key where no customer is concerned.
  public var subject: Identifier
  public var content: Content

  public init(_ clear: String, subject: Identifier = .zero) {
    self.subject = subject
    self.content = .clear(clear)
  }

  public init(subject: Identifier, content: Content) {
    self.subject = subject
    self.content = content
  }

  /// The same text under another subject's key.
  public func owned(by subject: Identifier) -> PersonalText {
    PersonalText(subject: subject, content: content)
  }

  /// The same text once its subject's key is gone.
  public var erased: PersonalText { PersonalText(subject: subject, content: .erased) }

  /// The text when it is in clear, nil when it is sealed or erased.
  public var clearText: String? {
    if case .clear(let text) = content { text } else { nil }
  }
}

/// Seals and opens personal text. The log's codec implements it over keys kept per customer.
public protocol PersonalTextVault {
  /// - Parameter field: the field's name, which with the command's id makes the nonce, so that the same decision gives
  ///   the same bytes.
  /// - Throws: `SubjectErased` where the subject's key is gone: nothing is sealed for it any more.
  func seal(_ clear: String, subject: Identifier, field: StaticString) throws -> [UInt8]
  /// - Returns: nil once the subject's key has been erased.
  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String?
}

/// Text was to be sealed for a subject that has been erased. It is written as erased: there is no key for it, and there
/// never will be another.
public struct SubjectErased: Error, Hashable, Sendable {
  public init() {}
}

/// How personal text is written: sealed for the log, in clear for somebody who may see it, or as it is held.
public enum PersonalTextForm {
  case sealed(any PersonalTextVault)
  case clear(any PersonalTextVault)
  case withheld
  case asHeld
}
