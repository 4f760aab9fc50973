/// The script of `omsctl completion bash`, made from the commands themselves.
enum BashCompletion {
  /// What the value of an option may be. Options that are not here take a file when their name says so, else anything.
  private static let values: [(option: String, values: [String])] = [
    ("output", ["table", "json"]), ("direction", MessageFilterOptions.directions), ("kind", ["bus", "grpc"]),
    ("mode", StockImportCommand.modes), ("state", OrdersListCommand.states),
  ]
  private static let fileOptions = ["token-file", "ca-file", "certificate-file", "key-file"]

  static var script: String {
    """
    # bash completion for omsctl, made by: omsctl completion bash
    _omsctl_offer() { mapfile -t COMPREPLY < <(compgen "$@" -- "$current"); }
    _omsctl() {
      local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' word index
      COMPREPLY=()
      # To bash, --status=DEAD is three words.
      if [[ $current == = ]]; then
        current=''
      elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
      fi
      case $previous in
    \(values.map { line(option: $0.option, words($0.values)) }.joined())\
        -o) _omsctl_offer -W 'table json'; return ;;
        --status)
          local done=''
          [[ $current != *,* ]] || done=${current%,*},
          mapfile -t COMPREPLY < <(compgen -P "$done" -W '\(words(MessageFilterOptions.statuses))' -- "${current##*,}")
          return ;;
        \(fileOptions.map { "--" + $0 }.joined(separator: "|"))) _omsctl_offer -f; return ;;
        \(otherValued)) return ;;
      esac
      for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        case $word in
          \(allValued))
            [[ ${COMP_WORDS[index+1]} != = ]] || ((index++))
            ((index++)) ;;
          -*) ;;
          *) command+=${command:+ }$word ;;
        esac
      done
      case $command in
        '') _omsctl_offer -W '\(words(firstWords))' ;;
    \(groups.map { group in
        "    \(group.word)) _omsctl_offer -W '\(words(group.rest))' ;;\n"
      }.joined())\
    \(Commands.all.map(line(command:)).joined())\
      esac
    }
    complete -o filenames -F _omsctl omsctl

    """
  }

  private static func words(_ words: [String]) -> String { words.joined(separator: " ") }

  private static func line(option: String, _ words: String) -> String {
    "    --\(option)) _omsctl_offer -W '\(words)'; return ;;\n"
  }

  private static func line(command: any Command.Type) -> String {
    let options = command.options.union(command.flags).union(Invocation.commonOptions).sorted().map { "--" + $0 }
    let files =
      command.arguments.contains("FILE") || command.arguments.contains("DIRECTORY")
      ? #"[[ $current == -* ]] || _omsctl_offer -f"# : ":"
    let arguments = command.completedArguments.map { $0 + " " }.joined()
    return """
          '\(words(command.path))'|'\(words(command.path)) '*)
            _omsctl_offer -W '\(arguments)\(words(options))'
            \(files) ;;

      """
  }

  private static var firstWords: [String] {
    var found: [String] = []
    for command in Commands.all {
      if let word = command.path.first, !found.contains(word) { found.append(word) }
    }
    return found
  }

  /// Commands of two words: the first one, and what may follow.
  private static var groups: [(word: String, rest: [String])] {
    firstWords.compactMap { word in
      let rest = Commands.all.filter { $0.path.count == 2 && $0.path[0] == word }.map { $0.path[1] }
      return rest.isEmpty ? nil : (word, rest)
    }
  }

  private static var allValued: String {
    (["-o"] + Invocation.grammar.valued.sorted().map { "--" + $0 }).joined(separator: "|")
  }

  private static var otherValued: String {
    let known = Set(values.map(\.option) + fileOptions + ["status"])
    return Invocation.grammar.valued.subtracting(known).sorted().map { "--" + $0 }.joined(separator: "|")
  }
}
