/// `omsctl completion bash`
struct CompletionCommand: Command {
  static let path = ["completion"]
  static let arguments = "bash"
  static let completedArguments = ["bash"]
  static let summary = "prints a script by which the shell completes commands and options"
  static let details = """
    For this shell:       source <(omsctl completion bash)
    For every new shell:  omsctl completion bash > ~/.local/share/bash-completion/completions/omsctl

    """

  init(_ words: [String], options: [String: String], flags: Set<String>) throws(UsageError) {
    try Self.expect(1, words)
    guard words[0] == "bash" else {
      throw UsageError("completion: \"\(words[0])\" is not bash, the only shell it knows")
    }
  }

  func run(in session: Session) async throws -> Int32 {
    session.console.print(BashCompletion.script)
    return 0
  }
}
