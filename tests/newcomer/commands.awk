# Prints what is typed in a Markdown document, in the order in which it stands there: the lines of its sh blocks, and what follows
# "$ " in its console blocks, to the end of each command. With -v shown=1 it prints what the console blocks show instead.
#
# -v page=NAME -v elsewhere=FILE: leaves out the commands that the file names for the page; one that the page has not is an error.
# -v section='## Heading': that section alone. -v kinds='console': these blocks alone.
#
# A block in which somebody could look for commands, and which nobody plays, is an error as well.

BEGIN {
    if (kinds == "") kinds = "sh console"
    while (elsewhere != "" && (getline entry <elsewhere) > 0) {
        split(entry, fields, "\t")
        if (fields[1] == page) left_out[fields[2]] = 1
    }
}

/^ *```/ {
    inside = !inside
    kind = inside ? substr($0, index($0, "```") + 3) : ""
    indent = match($0, /[^ ]/) - 1
    goes_on = is_left_out = 0
    if (kind !~ /^(sh|console|json|jsonc|yaml|)$/) wrong("nobody plays blocks of '" kind "'")
    next
}
!inside && /^## / { heading = $0 }
!inside || section != "" && heading != section { next }
kind == "" && /^ *(\$ |ssm-|aws |make )/ { wrong("commands in a block that is neither sh nor console") }
index(" " kinds " ", " " kind " ") == 0 || kind == "" { next }

{ line = substr($0, indent + 1) }
kind == "sh" || goes_on || sub(/^\$ /, "", line) {
    name = line
    sub(/ +#.*/, "", name)
    if (!goes_on) is_left_out = name in left_out
    if (is_left_out) used[name] = 1
    if (!shown && !is_left_out) print line
    code = line
    sub(/ +#.*/, "", code)
    goes_on = kind == "console" && code ~ /(\\|\|)$/
    next
}
shown && !is_left_out && line != "" { print line }

END {
    if (section == "" && !shown)
        for (name in left_out) if (!(name in used)) wrong("has no command '" name "', which is said to be run elsewhere")
    exit status
}

function wrong(what) {
    print FILENAME ": " what >"/dev/stderr"
    status = 1
}
