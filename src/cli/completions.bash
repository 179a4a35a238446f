# Completes command lines of conformance in bash, by asking the program at each turn.
_conformance() {
    local IFS=$'\013' index=0 at word last option= globs=
    local -a words=()
    # Bash takes = for the end of a word: an option and its value are put together again.
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        # Up to the cursor, if it stands inside the word.
        if ((at == COMP_CWORD)) && [[ $word != = ]]; then word=$2; fi
        if ((at > 1)); then last=${words[index - 1]}; else last=; fi
        if [[ $word == = && $last == --* && $last != *=* ]]; then
            option=$last=
            words[index - 1]=$option
        elif [[ -n $option && $last == "$option" && ${COMP_WORDS[at - 1]} == = ]]; then
            words[index - 1]+=$word
        else
            option=
            words[index]=$word
            index=$((index + 1))
        fi
    done
    # A name from a folder is not to be taken for a pattern here, nor for anything but a name on the line.
    if [[ $- != *f* ]]; then globs=on && set -f; fi
    COMPREPLY=($(
        _CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX=$((index - 1)) _CLAP_COMPLETE_COMP_TYPE="$COMP_TYPE" \
            CONFORMANCE_COMPLETE=bash conformance -- "${words[@]}"
    )) || COMPREPLY=()
    if [[ -n $globs ]]; then set +f; fi
    if [[ -n $option ]]; then COMPREPLY=("${COMPREPLY[@]#"$option"}"); fi
    for ((at = 0; at < ${#COMPREPLY[@]}; at++)); do
        printf -v word %q "${COMPREPLY[at]}"
        COMPREPLY[at]=$word
    done
    # Behind an option that takes a value, and behind a folder, goes something else than a space.
    if [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY != *[=/:] ]]; then compopt +o nospace 2>/dev/null; fi
}
complete -o nospace -o bashdefault -o nosort -F _conformance conformance 2>/dev/null ||
    complete -o nospace -o bashdefault -F _conformance conformance
