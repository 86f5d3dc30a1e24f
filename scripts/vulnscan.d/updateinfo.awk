# Makes OSV, one advisory a line, of an updateinfo.xml as Amazon Linux has it in its repositories: what `dnf updateinfo` reads.
# https://docs.aws.amazon.com/linux/al2023/ug/listing-applicable-advisories.html
#
# Not of any XML: of elements as createrepo writes them, each of which begins a record here. The release of a package tells
# which Amazon Linux it is for; packages of other distributions are counted in a last line, which advisories.jq
# reads, and updates that fix no vulnerability are left out.
BEGIN { RS = "<" }

function attribute(name) {
    if (!match($0, "[ \t\n]" name "=\"[^\"]*\"")) return ""
    return decoded(substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4))
}
function content() { return decoded(substr($0, index($0, ">") + 1)) }
function decoded(text) {
    gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text); gsub(/&amp;/, "\\&", text)
    return text
}
function quoted(text) {
    gsub(/[\001-\037]+/, " ", text); gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text)
    return "\"" text "\""
}

/^updates[ >]/ { is_updateinfo = 1 }
/^update[ >]/ {
    is_security = attribute("type") == "security"
    id = title = severity = aliases = affected = ""
    split("", known)
}
/^id>/ && id == "" { id = content() }
/^title>/ && title == "" { title = content() }
/^severity>/ { severity = content() }
/^reference / && attribute("type") == "cve" { aliases = aliases (aliases == "" ? "" : ",") quoted(attribute("id")) }
/^package / {
    # Every architecture and repository has the same package once more.
    name = attribute("name"); epoch = attribute("epoch"); release = attribute("release")
    fixed = (epoch == "" || epoch == "0" ? "" : epoch ":") attribute("version") "-" release
    ecosystem = release ~ /\.amzn2023/ ? "Amazon Linux:2023" : release ~ /\.amzn2(\.|$)/ ? "Amazon Linux:2" : ""
    if (attribute("arch") == "src" || (name, fixed) in known) next
    known[name, fixed]
    if (ecosystem == "") {
        if (is_security && !n_others++) other = name "-" fixed
        next
    }
    affected = affected (affected == "" ? "" : ",") "{\"package\":{\"ecosystem\":" quoted(ecosystem) ",\"name\":" quoted(name) \
        "},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":" quoted(fixed) "}]}]}"
}
/^\/update>/ && is_security && affected != "" {
    printf "{\"schema_version\":\"1.6.0\",\"id\":%s,\"summary\":%s,\"aliases\":[%s],\"database_specific\":{\"severity\":%s},", \
        quoted(id), quoted(title), aliases, quoted(severity)
    printf "\"references\":[{\"type\":\"ADVISORY\",\"url\":\"https://alas.aws.amazon.com/\"}],\"affected\":[%s]}\n", affected
}
END {
    if (!is_updateinfo) exit 1
    if (n_others) printf "{\"kind\":\"left_out\",\"message\":%s}\n", \
        quoted(n_others (n_others == 1 ? " fixed package is" : " fixed packages are") " not for Amazon Linux, such as " other)
}
