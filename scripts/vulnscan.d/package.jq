# What a line of an inventory says of a package, whichever manager it comes from, and its component in an SBOM.
import "purl" as purl {search: "./"};
import "version_order" as order {search: "./"};

def or_else($default): if (. // "") == "" then $default else . end;
def property($name; $value): if ($value // "") == "" then empty else {name: $name, value: $value} end;

# The version as the distribution writes it, epoch and all.
def version:
    if .[0] == "rpm" then (.[2] | if . == "" or . == "0" then "" else . + ":" end) + .[3] + "-" + .[4] else .[2] end;

# {name, epoch, version, release} of a version of dpkg or rpm, and of NAME-VERSION-RELEASE.src.rpm.
def parts:
    (if contains(":") then [index(":") as $at | .[:$at], .[$at + 1:]] else ["", .] end) as [$epoch, $rest]
    | ($rest | rindex("-")) as $dash
    | {epoch: $epoch, version: (if $dash then $rest[:$dash] else $rest end), release: (if $dash then $rest[$dash + 1:] else "" end)};
def source_rpm_parts:
    rtrimstr(".rpm") | rtrimstr(".src") | rtrimstr(".nosrc") | split("-")
    | {name: (.[:-2] | join("-")), version: .[-2], release: .[-1]};

# {name, version} of the source that a package was built from.
def source:
    if .[0] == "deb" then
        # Ubuntu and Debian sign kernels and boot loaders in a source of its own, whose binaries keep the version of the
        # real one: https://wiki.debian.org/SecureBoot/Discussion.
        if .[4] | startswith("linux-signed") then
            {name: (.[4] | ltrimstr("linux-signed") | if . == "" or . == "-amd64" or . == "-arm64" then "linux" else "linux" + . end), version: .[2]}
        else {name: (.[1] as $name | .[4] | or_else($name)), version: (.[2] as $version | .[5] | or_else($version))} end
    elif .[0] == "rpm" then
        # The epoch is not in the name of the file; that of the package is nearly always the same.
        if (.[6] // "") == "" then {name: .[1], version: version}
        else .[2] as $epoch | .[6] | source_rpm_parts | {name, version: ((if $epoch == "" then "" else $epoch + ":" end) + .version + "-" + .release)} end
    else {name: (.[1] as $name | .[4] | or_else($name)), version: .[2]} end;

# Names of vendors in package URLs, as syft writes them.
def namespace: if . == "rhel" then "redhat" elif startswith("opensuse") then "opensuse" else . end;

# What trivy reads when a package's source is not the package itself: pkg/sbom/core/bom.go.
def trivy_source($name; $parts):
    property("aquasecurity:trivy:SrcName"; $name), property("aquasecurity:trivy:SrcVersion"; $parts.version),
    property("aquasecurity:trivy:SrcRelease"; $parts.release), property("aquasecurity:trivy:SrcEpoch"; $parts.epoch);

# The component of a package on a node with this `os` and native `arch`.
def component($os; $arch):
    . as $line
    | ($os.id + if $os.version == "" then "" else "-" + $os.version end) as $distro
    | ($os.id | namespace) as $namespace
    | version as $version
    | if .[0] == "deb" then
        [["arch", (.[3] | or_else($arch))], ["distro", $distro],
            ["upstream", if .[4] == "" and .[5] == "" then "" else (.[4] | or_else($line[1])) + if .[5] == "" then "" else "@" + .[5] end end]] as $qualifiers
        | {purl: purl::purl("deb"; $namespace; .[1]; $version; $qualifiers),
            properties: (if .[4] == "" and .[5] == "" then [] else source as $source | [trivy_source($source.name; $source.version | parts)] end)}
    elif .[0] == "rpm" then
        (.[6] | or_else("\($line[1])-\($line[3])-\($line[4]).src.rpm")) as $source_rpm
        | [["arch", (.[5] | or_else($arch))], ["distro", $distro], ["epoch", .[2]], ["rpmmod", .[8]], ["upstream", $source_rpm]] as $qualifiers
        | ($source_rpm | source_rpm_parts) as $source
        | {publisher: .[7], purl: purl::purl("rpm"; $namespace; .[1]; "\($line[3])-\($line[4])"; $qualifiers),
            properties: [trivy_source($source.name; $source + {epoch: $line[2]}), property("aquasecurity:trivy:Modularitylabel"; .[8])]}
    elif .[0] == "apk" then
        [["arch", (.[3] | or_else($arch))], ["distro", $distro], ["upstream", .[4]]] as $qualifiers
        | {purl: purl::purl("apk"; $namespace; .[1]; $version; $qualifiers),
            properties: (if .[4] == "" then [] else [trivy_source($line[4]; {$version})] end)}
    else # A program of Windows, for which there is no type of package URL.
        {type: "application", publisher: .[3], purl: purl::purl("generic"; ""; .[1]; $version; []), properties: []}
    end
    | {type: (.type // "library"), "bom-ref": .purl, name: $line[1], version: $version, purl, publisher, properties}
    | if (.publisher // "") == "" then del(.publisher) else . end
    | if .properties == [] then del(.properties) else . end;

# Which kernel, as `uname -r` names it, a package of kernels installs. Nothing for packages that install none.
def kernel_release:
    if .[0] == "deb" then .[1] | select(test("^linux-image-(unsigned-)?[0-9].*-")) | ltrimstr("linux-image-") | ltrimstr("unsigned-")
    elif .[0] == "rpm" then select(.[1] | test("^kernel([0-9.]+|-core|-uek-core|-uek)?$")) | "\(.[3])-\(.[4])"
    elif .[0] == "apk" then select(.[1] | test("^linux-(lts|virt|edge)$")) | (.[2] | split("-r") | join("-")) + "-" + (.[1] | ltrimstr("linux-"))
    else empty end;

# The newest kernel among these lines, of the flavour that runs, as far as the names of packages tell; or null.
def newest_kernel($running; $lines):
    # Of 6.1.0-18-cloud-amd64, -cloud-amd64. The rpm of a kernel does not say which architecture `uname -r` ends in.
    def flavour: sub("^[0-9.]+-[0-9.]+"; "");
    [$lines[] | select(.[4:10] == "linux-" or .[4:10] == "kernel") | split("\t") + ["", "", "", ""] | {manager: .[0], release: kernel_release}]
    | if length == 0 then null
    elif .[0].manager == "rpm" then
        # The kernel and its core come as two packages of one version.
        (map(.release) | sort_by(order::key("rpm")) | .[-1]) + ($running | capture("(?<arch>\\.[a-z0-9_]+)$").arch // "")
    else
        map(.release) | map(select(flavour == ($running | flavour))) | sort_by(order::key("deb")) | .[-1]
    end;
