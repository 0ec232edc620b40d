/** The scripts by which shells complete `holdfast`. @module */

/** The shells. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Words come with their meaning behind a tab, which bash has no place for. */
const BASH = `# Completion of holdfast for bash. To have it in every shell:
#   holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
_holdfast() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ':files' ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done \\
        < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("$1" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _holdfast holdfast
`;

const ZSH = `#compdef holdfast
# Completion of holdfast for zsh. To have it in every shell, in a folder of your $fpath:
#   holdfast completion zsh > ~/.zfunc/_holdfast
_holdfast() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ':files' ]]; then
      _files
      return
    fi
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'holdfast' found
}
if [[ $funcstack[1] == _holdfast ]]; then
  _holdfast "$@"
else
  compdef _holdfast holdfast
fi
`;

const FISH = `# Completion of holdfast for fish. To have it in every shell:
#   holdfast completion fish > ~/.config/fish/completions/holdfast.fish
function __holdfast_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found" = ':files'
        __fish_complete_path "$current"
    else
        string join -- \\n $found
    end
end
complete -c holdfast -f -a '(__holdfast_complete)'
`;

/** What `holdfast completion` prints. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
