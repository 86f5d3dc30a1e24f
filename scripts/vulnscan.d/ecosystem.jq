# What OSV calls a distribution and its release, https://ossf.github.io/osv-schema/#defined-ecosystems.

def major: split(".")[0];

# Of the `os` of an inventory; null where OSV has no advisories.
def of_system:
    if .id == "debian" then "Debian:" + .version
    elif .id == "ubuntu" then "Ubuntu:" + .version + if .version | test("[02468]\\.04$") then ":LTS" else "" end
    elif .id == "alpine" then "Alpine:v" + (.version | split(".")[:2] | join("."))
    elif .id == "almalinux" then "AlmaLinux:" + (.version | major)
    elif .id == "rocky" then "Rocky Linux:" + (.version | major)
    elif .id == "rhel" then "Red Hat:enterprise_linux:" + (.version | major)
    elif .id == "sles" or .id == "sles_sap" then "SUSE:" + .version
    elif .id == "opensuse-leap" then "openSUSE:Leap " + .version
    elif .id == "opensuse-tumbleweed" then "openSUSE:Tumbleweed"
    elif .id == "amzn" then "Amazon Linux:" + .version
    else null end;

# The same of what an advisory names, where it names repositories or products of one release. Fixes for those who pay for
# longer support (Ubuntu Pro, Red Hat's EUS and the like) are not offered to the others, and are left out.
def of_advisory:
    if startswith("Red Hat:enterprise_linux:") then split(":")[:3] | join(":") | split(".")[0]
    elif startswith("SUSE:Linux Enterprise Server ") or startswith("SUSE:Linux Enterprise Module for ") then
        (capture(" (?<release>[0-9]+)( SP(?<pack>[0-9]+))?(-LTSS)?$") // {release: "", pack: null})
        | "SUSE:" + .release + if .pack then "." + .pack else "" end
    else . end;
