# shellcheck shell=sh
# lib.sh: messages, logs and elapsed time for the shell scripts of Mint.
# Sourced; the caller has set -eu.  The Python side is mintlib.py.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this file
build=${BUILD:-$top/build}

# say TEXT: one line of progress
say()
{
	printf '%s\n' "$*"
}

# warn TEXT: one line that is not progress
warn()
{
	printf '%s\n' "$*" >&2
}

# die TEXT: say why, and end
die()
{
	warn "${0##*/}: $*"
	exit 1
}

# value KEY: what scripts/versions says about KEY
value()
{
	sed -n "s/^$1=//p" "$top/scripts/versions"
}
