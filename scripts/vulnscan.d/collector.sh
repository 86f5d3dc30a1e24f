#!/bin/sh
# Lists what is installed on the node it runs on, for vulnscan.sh. Reads only: no file is written, nothing is installed.
#
# Prints lines of fields separated by tabs. An empty field at the end of a package means the default: the architecture of
# the `arch` line, the source of the same name and version.
#   ssm-inventory 1 plain|gzip
#   os      ID  VERSION_ID  ID_LIKE  VERSION_CODENAME  PRETTY_NAME  CPE_NAME, of SUSE only, with its base product
#   arch    ARCHITECTURE
#   kernel  RUNNING_RELEASE  required, if the distribution asks for a reboot
#   deb     NAME  VERSION  ARCHITECTURE  SOURCE  SOURCE_VERSION
#   rpm     NAME  EPOCH  VERSION  RELEASE  ARCHITECTURE  SOURCE_RPM  VENDOR  MODULARITY_LABEL
#   apk     NAME  VERSION  ARCHITECTURE  ORIGIN
#   end     N_LINES  CHECKSUM, as cksum prints it of the lines between the first and this one
# Run Command keeps 24,000 characters of an output, some 700 packages, so what is longer comes packed: all lines after the
# first one in gzip, then base64. Whoever reads this knows a cut inventory from a whole one by its last line.
#
# It has to do with dash and with busybox, and the text must not hold two opening braces in a row: Run Command takes
# them for a parameter. INVENTORY_ROOT is where the system is found, if it is not the running one.
#
# exit: 0 done, 1 the packages cannot be listed
set -eu
LC_ALL=C
export LC_ALL
root=${INVENTORY_ROOT:-}

fail() {
    echo "collector: $1" >&2
    exit 1
}

os_release() {
    file=$root/etc/os-release
    [ -r "$file" ] || file=$root/usr/lib/os-release
    [ -r "$file" ] || fail "there is no os-release file"
    (
        # The file may leave any of them out, and what the caller's environment holds is none of the node's.
        ID='' VERSION_ID='' ID_LIKE='' VERSION_CODENAME='' PRETTY_NAME='' CPE_NAME=''
        # shellcheck source=/dev/null
        . "$file"
        # The CPE only says which of the products of SUSE that have one ID it is. From 15 on that of SLES for SAP is the one of
        # SLES, and the base product says it: https://www.suse.com/support/kb/doc/?id=000019341
        case $CPE_NAME in *:suse:*) ;; *) CPE_NAME='' ;; esac
        case $CPE_NAME:$(readlink "$root/etc/products.d/baseproduct" 2>/dev/null || :) in
        *:sles:*:*SLES_SAP.prod) CPE_NAME=${CPE_NAME%%:sles:*}:sles_sap:${CPE_NAME#*:sles:} ;;
        esac
        printf 'os\t%s\t%s\t%s\t%s\t%s' "$ID" "$VERSION_ID" "$ID_LIKE" "$VERSION_CODENAME" "$PRETTY_NAME"
        printf '%s\n' "${CPE_NAME:+	$CPE_NAME}"
    )
}

kernel() {
    reboot=''
    # https://www.debian.org/doc/debian-policy/ch-opersys.html#signaling-that-a-reboot-is-required
    # and zypp-boot-plugin(8) of SUSE, whose file cloud-init reads as well.
    if [ -e "$root/run/reboot-required" ] || [ -e "$root/run/reboot-needed" ]; then reboot=required; fi
    printf 'kernel\t%s\t%s\n' "$(uname -r)" "$reboot"
}

# Each of these prints nothing and succeeds if the node has no such database, and fails if there is one it cannot read.
deb_packages() {
    if ! command -v dpkg-query >/dev/null || [ ! -s "$root/var/lib/dpkg/status" ]; then return 0; fi
    # Names and versions of sources: dpkg-query(1), Virtual fields. What is half installed, unpacked or waits for a trigger has
    # its files on the node all the same: dpkg(1), Package states.
    listed=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f \
        '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n') ||
        fail "dpkg-query cannot list the packages"
    printf '%s\n' "$listed" | awk -F '\t' -v OFS='\t' -v native="$1" '$1 != "not-installed" && $1 != "config-files" {
        print "deb", $2, $3, $4 == native ? "" : $4, $5 == $2 ? "" : $5, $6 == $3 ? "" : $6
    }'
}

rpm_packages() {
    command -v rpm >/dev/null || return 0
    # The rpm of Amazon Linux 2 does not know modules, and one unknown tag makes it refuse the whole query.
    label=''
    if rpm --querytags | grep -qx MODULARITYLABEL; then label='%|MODULARITYLABEL?{%{MODULARITYLABEL}}|'; fi
    listed=$(rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%|SOURCERPM?{%{SOURCERPM}}|\t%|VENDOR?{%{VENDOR}}|\t'"$label"'\n') ||
        fail "rpm cannot list the packages"
    # Keys that packages are verified with are kept as if they were packages.
    printf '%s\n' "$listed" | awk -F '\t' -v OFS='\t' -v native="$1" 'NF > 1 && $1 != "gpg-pubkey" {
        print "rpm", $1, $2, $3, $4, $5 == native ? "" : $5, $6 == $1 "-" $3 "-" $4 ".src.rpm" ? "" : $6, $7, $8
    }'
}

# https://wiki.alpinelinux.org/wiki/Apk_spec#APKINDEX_Format
apk_packages() {
    file=$root/lib/apk/db/installed
    [ -e "$file" ] || file=$root/usr/lib/apk/db/installed
    [ -e "$file" ] || return 0
    awk -v OFS='\t' -v native="$1" '
        function print_package() {
            if (name != "") print "apk", name, version, arch == native ? "" : arch, origin == name ? "" : origin
            name = version = arch = origin = ""
        }
        /^P:/ { name = substr($0, 3) }
        /^V:/ { version = substr($0, 3) }
        /^A:/ { arch = substr($0, 3) }
        /^o:/ { origin = substr($0, 3) }
        /^$/ { print_package() }
        END { print_package() }
    ' "$file"
}

machine=$(uname -m)
arch=$machine
if command -v dpkg >/dev/null; then arch=$(dpkg --print-architecture); fi
packages=$(deb_packages "$arch")
if [ -z "$packages" ]; then
    # What is said of an empty database belongs to the manager that the node does not use.
    arch=$machine
    packages=$(rpm_packages "$arch")
    if [ -z "$packages" ]; then packages=$(apk_packages "$arch"); fi
fi
[ -n "$packages" ] || fail "neither dpkg nor rpm nor apk knows a package"

os=$(os_release)
# What is left is ASCII, since Run Command does not hand on every byte as it was.
lines=$(printf '%s\narch\t%s\n%s\n%s\n' "$os" "$arch" "$(kernel)" "$packages" | tr -cd '\011\012\040-\176')
sum=-
if command -v cksum >/dev/null; then
    sum=$(printf '%s\n' "$lines" | cksum)
    sum=${sum%% *}
fi
lines=$(printf '%s\nend\t%s\t%s' "$lines" "$(printf '%s\n' "$lines" | wc -l | tr -d ' ')" "$sum")
if [ ${#lines} -gt 20000 ] && command -v gzip >/dev/null && command -v base64 >/dev/null; then
    printf 'ssm-inventory 1 gzip\n%s\n' "$(printf '%s\n' "$lines" | gzip -9c | base64 | tr -d '\n')"
else
    printf 'ssm-inventory 1 plain\n%s\n' "$lines"
fi
