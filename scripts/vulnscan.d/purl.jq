# Package URLs, https://github.com/package-url/purl-spec, with the qualifiers that syft writes and grype reads:
# `upstream` for the source of a package, `distro`, and `rpmmod` for the module of an rpm.

# Letters, digits, `.-_~` and the colon stay as they are. jq before 1.7 leaves five more characters alone.
def encoded:
    @uri
    | split("%3A") | join(":")
    | if test("[!*'()]") then
        split("!") | join("%21") | split("*") | join("%2A") | split("'") | join("%27")
        | split("(") | join("%28") | split(")") | join("%29")
    else . end;

# Qualifiers: an array of [key, value] in the order of the alphabet; the empty ones are left out.
def purl($type; $namespace; $name; $version; $qualifiers):
    "pkg:\($type)/\(if ($namespace // "") == "" then "" else ($namespace | encoded) + "/" end)\($name | encoded)"
    + (if ($version // "") == "" then "" else "@" + ($version | encoded) end)
    + ([$qualifiers[] | select((.[1] // "") != "") | "\(.[0])=\(.[1] | encoded)"]
        | if length > 0 then "?" + join("&") else "" end);
