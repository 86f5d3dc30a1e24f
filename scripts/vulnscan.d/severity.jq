# How bad an advisory is, in one of the words critical, high, medium, low, none or unknown, and a CVSS score if it has one.

# The base score of CVSS 3.0 and 3.1, https://www.first.org/cvss/v3.1/specification-document#7-1-Base-Metrics-Equations.
def cvss3_score:
    def pow($n): . as $x | reduce range($n) as $i (1; . * $x);
    # To one decimal, upwards; in whole numbers, since a tenth is no sum of halves (Appendix A of the same page).
    def roundup: (. * 100000 + 0.5 | floor) as $n | if $n % 10000 == 0 then $n / 100000 else ($n / 10000 | floor + 1) / 10 end;
    (split("/") | map(split(":") | {(.[0]): .[1]}) | add) as $m
    | ($m.S == "C") as $changed
    | {N: 0.85, A: 0.62, L: 0.55, P: 0.2}[$m.AV // ""] as $vector
    | {L: 0.77, H: 0.44}[$m.AC // ""] as $complexity
    | (if $changed then {N: 0.85, L: 0.68, H: 0.5} else {N: 0.85, L: 0.62, H: 0.27} end)[$m.PR // ""] as $privileges
    | {N: 0.85, R: 0.62}[$m.UI // ""] as $interaction
    | [$m.C, $m.I, $m.A | {H: 0.56, L: 0.22, N: 0}[. // ""]] as $impacts
    | if any($vector, $complexity, $privileges, $interaction, $impacts[]; . == null) then null
    else
        (1 - (1 - $impacts[0]) * (1 - $impacts[1]) * (1 - $impacts[2])) as $base
        | (if $changed then 7.52 * ($base - 0.029) - 3.25 * ($base - 0.02 | pow(15)) else 6.42 * $base end) as $impact
        | (8.22 * $vector * $complexity * $privileges * $interaction) as $exploitability
        | if $impact <= 0 then 0
        else ($impact + $exploitability) * (if $changed then 1.08 else 1 end) | [., 10] | min | roundup end
    end;

# https://www.first.org/cvss/v3.1/specification-document#5-Qualitative-Severity-Rating-Scale
def word_of_score: if . >= 9 then "critical" elif . >= 7 then "high" elif . >= 4 then "medium" elif . > 0 then "low" else "none" end;

# The words of Red Hat and those after it, of Debian (https://security-tracker.debian.org) and of Ubuntu.
def word:
    (. // "" | ascii_downcase) as $word
    | {critical: "critical", important: "high", high: "high", moderate: "medium", medium: "medium", low: "low",
        negligible: "none", unimportant: "none", none: "none"}[$word];

# {word, score} of an OSV advisory and the part of it about one package. The distribution knows best how it is built.
def severity($affected):
    [
        ($affected.ecosystem_specific | objects | .urgency, .severity | strings),
        (($affected.severity, .severity | arrays)[] | select(.type == "Ubuntu").score),
        (.database_specific | objects | .severity | strings),
        (.summary // "" | split(":")[0] | strings)
        | word | values
    ][0] as $word
    | ([($affected.severity, .severity | arrays)[] | select(.type == "CVSS_V3").score | cvss3_score | values] | max) as $score
    | {word: ($word // ($score | values | word_of_score) // "unknown"), $score};

def sarif_level: {critical: "error", high: "error", low: "note", none: "note"}[.] // "warning";
def rank: {critical: 0, high: 1, medium: 2, unknown: 3, low: 4, none: 5}[.];
