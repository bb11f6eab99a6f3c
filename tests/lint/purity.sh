#!/bin/sh
# No I/O, no clock, no log, no chance and no memory of former calls in the pure rooms:
# *_core.c, common/lang, common/engine.
# usage: tests/lint/purity.sh [ROOT]
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 2
files=$("$here/c_files") || exit 2
pure=$(printf '%s\n' "$files" | grep -E '_core\.[ch]$|^common/(lang|engine)/')
if [ -z "$pure" ]; then
	echo "no pure rooms under $(pwd)" >&2
	exit 2
fi
# shellcheck disable=SC2086 # one word per file
exec awk -f "$here/c_text.awk" -f "$here/purity.awk" $pure
