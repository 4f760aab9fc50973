/// Which return a command is about: `RMA | --entity ID`.
struct ReturnName {
  static let arguments = "RMA | --entity ID"
  static let details = """
    RMA          the OMS's id of the return
    --entity ID  Magento's id of it instead

    """
  static let options: Set<String> = ["entity"]

  /// Empty where the entity id names it.
  let rma: String
  /// 0 where the RMA names it.
  let entityID: Int64

  /// - Parameter command: whose words they are, for its usage line.
  init(_ words: [String], _ options: [String: String], of command: any Command.Type) throws(UsageError) {
    guard let text = options["entity"] else {
      try command.expect(1, words)
      rma = words[0]
      entityID = 0
      return
    }
    try command.expect(0, words)
    rma = ""
    entityID = try NumberOption.entityID(text)
  }
}
