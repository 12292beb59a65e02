#!/bin/sh
# List the broken variants of a chapter: the name, then what its patch says of itself.
#
# usage: breaks.sh CHAPTER
for patch in chapters/"$1"/break/*.patch; do
    [ -e "$patch" ] || { echo "breaks: chapter $1 has no broken variants" >&2; exit 1; }
    printf '%s\n' "$(basename "$patch" .patch)"
    sed '/^---/,$d; s/^/    /' "$patch"
done
