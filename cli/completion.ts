/**
 * `wasi completion`: what a shell needs to complete the command's words, made of the table of
 * options and of the help.
 *
 * @module
 */
import { UsageError } from "./error.ts";
import { help } from "./help.ts";
import { LETTERS, type Option, OPTIONS } from "./options.ts";

/** What comes first in place of an option. */
const ACTIONS: readonly string[] = ["run", "inspect", "completion", "help"];

/** An option as shells know it. */
interface Shown {
  /** with its dashes: `--dir`, and `-W` of those that have a letter */
  words: string[];
  name: string;
  option: Option;
  /** what the help says of it */
  about: string;
  /** whether the next word is its value */
  takes: boolean;
}

function shown(): Shown[] {
  return Object.entries(OPTIONS).filter(([, { hidden }]) => !hidden).map(([name, option]) => {
    const letter = Object.keys(LETTERS).find((letter) => LETTERS[letter] === name);
    const line = new RegExp(`^ {2}--${name}\\b(?! ?,).*? {2,}(.+)$`, "m").exec(help);
    return {
      words: [`--${name}`, ...(letter === undefined ? [] : [`-${letter}`])],
      name,
      option,
      about: (line?.[1] ?? "").replace(/ \([^)]*$/, ""),
      takes: option.value !== undefined && option.default === undefined,
    };
  });
}

/** The words of those options that a condition holds for. */
function wordsOf(options: readonly Shown[], holds: (one: Shown) => boolean): string[] {
  return options.filter(holds).flatMap(({ words }) => words);
}

/** The choices that there are, with the options that have them. */
function choices(options: readonly Shown[]): { words: string[]; list: readonly string[] }[] {
  return options.flatMap(({ words, option: { completed } }) =>
    typeof completed === "object" ? [{ words, list: completed }] : []
  );
}

function bash(): string {
  const options = shown();
  const lines = (words: readonly string[]): string => `'${words.join("\n")}'`;
  const values = choices(options).map(({ words, list }) =>
    `    ${words.join("|")})
      local before=\${value%"\${value##*,}"}
      COMPREPLY=($(compgen -P "$prefix$before" -W ${lines(list)} -- "\${value##*,}"))
      return ;;`
  );
  const folders = wordsOf(options, ({ option }) => option.completed === "folders");
  const files = wordsOf(options, ({ option }) => option.completed === "files");
  return `# Completion of wasi for bash. To install it:
#   wasi completion bash > ~/.local/share/bash-completion/completions/wasi
_wasi() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} words=() option= value= prefix= first=1 i last
  COMPREPLY=()
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  last=$((\${#words[@]} - 1))
  value=\${words[last]}
  IFS=$'\\n'
  case \${words[1]} in
    completion)
      ((last == 2)) && COMPREPLY=($(compgen -W ${lines(["bash", "zsh", "fish"])} -- "$value"))
      compopt +o default
      return ;;
    inspect | help) ((last > 1)) && return ;;
    run) ((last > 1)) && first=2 ;;
  esac
  for ((i = first; i < last; i++)); do
    case \${words[i]} in
      --) return ;;
      ${wordsOf(options, ({ takes }) => takes).join("|")})
        option=\${words[i]}
        ((++i < last)) && option= ;;
      -*) ;;
      *) return ;; # FILE: the others are the program's
    esac
  done
  if [[ -z $option && $value == --*=* ]]; then
    option=\${value%%=*}
    value=\${value#*=}
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$option=
  fi
  case $option in
    ${folders.join("|")})
      compopt -o filenames
      COMPREPLY=($(compgen -P "$prefix" -d -- "$value"))
      return ;;
    ${files.join("|")})
      compopt -o filenames
      COMPREPLY=($(compgen -P "$prefix" -f -- "$value"))
      return ;;
${values.join("\n")}
    ?*)
      compopt +o default
      return ;;
  esac
  if [[ $value == -* ]]; then
    COMPREPLY=($(compgen -W ${lines(wordsOf(options, () => true))} -- "$value"))
  elif ((last == 1)); then
    compopt -o filenames
    COMPREPLY=($(compgen -W ${lines(ACTIONS)} -- "$value") $(compgen -f -- "$value"))
  fi
}
complete -o default -F _wasi wasi
`;
}

function zsh(): string {
  const escaped = (text: string): string => text.replace(/'/g, "'\\''").replace(/[[\]:]/g, "\\$&");
  const action = ({ completed }: Option): string => {
    if (completed === "files") return "_files";
    if (completed === "folders") return "_files -/";
    return completed === undefined ? " " : `(${completed.join(" ")})`;
  };
  const specs = shown().flatMap(({ words, option, about, takes }) =>
    words.map((word) => {
      const told = about === "" ? "" : `[${escaped(about)}]`;
      if (option.value === undefined) return `'*${word}${told}'`;
      // a value that may be left out stands in the same word
      const equals = word.length === 2 ? "" : takes ? "=" : "=-";
      const value = `${takes ? ":" : "::"}${escaped(option.value)}:${action(option)}`;
      return `'*${word}${equals}${told}${value}'`;
    })
  );
  return `#compdef wasi
# Completion of wasi for zsh. To install it, in a directory of $fpath:
#   wasi completion zsh > ~/.zfunc/_wasi
_wasi_first() {
  compadd -- ${ACTIONS.join(" ")}
  _files
}
_wasi() {
  case $words[2] in
    completion)
      ((CURRENT == 3)) && compadd -- bash zsh fish
      ((CURRENT > 2)) && return ;;
    inspect)
      ((CURRENT > 2)) && { _files; return } ;;
    run)
      if ((CURRENT > 2)); then
        words=($words[1] $words[3,-1])
        ((CURRENT--))
      fi ;;
  esac
  _arguments -s -S -A '-*' \\
    ${specs.join(" \\\n    ")} \\
    '1:FILE:_wasi_first' \\
    '*:ARGS:_files'
}
if [ "$funcstack[1]" = _wasi ]; then _wasi "$@"; else compdef _wasi wasi; fi
`;
}

function fish(): string {
  const options = shown();
  const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = options.map(({ words, option, about, takes }) => {
    const names = words.map((word) =>
      word.startsWith("--") ? `-l ${word.slice(2)}` : word.replace(/^-/, "-s ")
    );
    const { completed } = option;
    const value = completed === "files"
      ? "-r -F"
      : completed === "folders"
      ? "-x -a '(__fish_complete_directories)'"
      : completed !== undefined
      ? `${takes ? "-x" : "-f"} -a ${quoted(completed.join(" "))}`
      : takes
      ? "-x"
      : "-f";
    const told = about === "" ? [] : [`-d ${quoted(about)}`];
    return ["complete -c wasi -n __wasi_before_file", ...names, value, ...told].join(" ");
  });
  return `# Completion of wasi for fish. To install it:
#   wasi completion fish > ~/.config/fish/completions/wasi.fish
function __wasi_before_file
  set -l words (commandline -opc)
  set -e words[1]
  test "$words[1]" = run; and set -e words[1]
  set -l value
  for word in $words
    if set -q value[1]
      set -e value
      continue
    end
    switch $word
      case ${wordsOf(options, ({ takes }) => takes).join(" ")}
        set value 1
      case '-*'
      case '*'
        return 1
    end
  end
  return 0
end
function __wasi_first
  test (count (commandline -opc)) -eq 1
end
complete -c wasi -n __wasi_first -a ${quoted(ACTIONS.join(" "))}
complete -c wasi -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'
${lines.join("\n")}
`;
}

const SHELLS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

/** The script for a shell. */
export function completion(shell: string): string {
  if (Object.hasOwn(SHELLS, shell)) return SHELLS[shell]!();
  throw new UsageError(`completion ${shell}: there are ${Object.keys(SHELLS).join(", ")}`);
}
