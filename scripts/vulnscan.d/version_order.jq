# The order of versions as dpkg, rpm and apk have it, by keys that jq's own order of arrays compares.
# A key ends with what the end of a version is worth, so that one version being the beginning of another decides nothing.

# Numbers of any length: longer is greater once leading zeros are gone.
def number: ltrimstr("0") as $rest | if $rest == . then [length, .] else $rest | until(startswith("0") | not; .[1:]) | [length, .] end;

# https://www.debian.org/doc/debian-policy/ch-controlfields.html#version: runs of other characters and of digits take turns;
# `~` goes before the end, the end before letters, letters before everything else. No digits are a zero.
def dpkg_part:
    [match("([^0-9]*)([0-9]*)"; "g") | select(.length > 0) | .captures]
    | if length == 0 then [[{string: ""}, {string: ""}]] else . end
    | map(
        [.[0].string // "" | explode[] | if . == 126 then -1 elif (. >= 65 and . <= 90) or (. >= 97 and . <= 122) then . else . + 256 end]
            + [0],
        (.[1].string // "" | number))
    + [[0]];

def dpkg_key:
    (if contains(":") then [index(":") as $at | .[:$at], .[$at + 1:]] else ["", .] end) as [$epoch, $rest]
    | ($rest | rindex("-")) as $dash
    | [($epoch | number)]
    + if $dash == null then [($rest | dpkg_part), ("" | dpkg_part)]
      else [($rest[:$dash] | dpkg_part), ($rest[$dash + 1:] | dpkg_part)] end;

# rpmvercmp, https://rpm-software-management.github.io/rpm/manual/dependencies.html#versioning: runs of letters and of digits,
# what is between them separates only; a digit goes after a letter, `~` before the end, `^` right after it.
def rpm_part:
    [match("~|\\^|[A-Za-z]+|[0-9]+"; "g").string
        | if . == "~" then [0] elif . == "^" then [2] elif .[:1] >= "A" then [3, .] else [4] + number end]
    + [[1]];

# Where one of two has no release, the release does not count: `before` looks at what both have.
def rpm_key:
    (if contains(":") then [index(":") as $at | .[:$at], .[$at + 1:]] else ["", .] end) as [$epoch, $rest]
    | ($rest | rindex("-")) as $dash
    | [($epoch | number)]
    + if $dash == null then [($rest | rpm_part)] else [($rest[:$dash] | rpm_part), ($rest[$dash + 1:] | rpm_part)] end;

# apk-version(8), https://man.archlinux.org/man/apk-version.8: 1.2.3a_rc1~0123abc-r4. Null for what is no version to apk.
# What goes on is greater the earlier its part stands in that pattern, but _alpha to _rc are less than the end.
def apk_key:
    capture("^(?<first>[0-9]+)(?<digits>(\\.[0-9]+)*)(?<letter>[a-z]?)(?<suffixes>(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(~(?<hash>[0-9a-f]+))?(-r(?<revision>[0-9]+))?$")
    // null
    | if . == null then null else
        [[9] + (.first | number)]
        # As in Gentoo, digits with a leading zero are compared as text.
        + [.digits | split(".")[1:][] | [8] + if startswith("0") then [0, .] else [1] + number end]
        + [.letter | select(. != "") | [7, .]]
        + [.suffixes | split("_")[1:][] | [match("^([a-z]+)([0-9]*)$").captures[].string] as [$name, $number]
            | ([["alpha", "beta", "pre", "rc"], ["cvs", "svn", "git", "hg", "p"]] | [.[0], .[1]] | map(index($name))) as [$before, $after]
            | if $before != null then [0, $before] else [6, $after] end, ($number | select(. != "") | [5] + number)]
        + [.hash | select(. != null) | [4, .]]
        + [.revision | select(. != null) | [3] + number]
        + [[1]]
    end;

def key($manager): if $manager == "deb" then dpkg_key elif $manager == "rpm" then rpm_key else apk_key end;

# Whether the version of one key goes before that of another.
def before($key; $other):
    ($key | length) as $n
    | ($other | length) as $m
    | if $n < $m then $key < $other[:$n] elif $n > $m then $key[:$m] < $other else $key < $other end;
