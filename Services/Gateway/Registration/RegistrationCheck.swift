/// What a look at the OMS's registrations has found.
enum RegistrationCheck: Sendable, Equatable {
  /// It is there, and says what it should.
  case present
  /// It is there and somebody has switched it off in the OMS, which is not for the connector to undo.
  case switchedOff
  case missing
  /// It is there and says something else; in words.
  case differs(String)
  /// It is there more than once: everything comes as often.
  case copies(Int)
  /// This OMS can't be asked; why.
  case unsupported(String)
  /// It could not be asked now; why.
  case failed(String)
}

extension RegistrationCheck: CustomStringConvertible {
  var description: String {
    switch self {
    case .present: "the OMS has it"
    case .switchedOff: "the OMS has it, switched off: enable it there, or with omsctl disable and omsctl enable"
    case .missing: "the OMS does not have it any more"
    case .differs(let how): "the OMS has another one: \(how)"
    case .copies(let count): "the OMS has it \(count) times"
    case .unsupported(let reason): "the OMS can't be asked, so it is renewed now and then: \(reason)"
    case .failed(let reason): "the OMS could not be asked: \(reason)"
    }
  }
}
