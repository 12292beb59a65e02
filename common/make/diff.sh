#!/bin/sh
# Show what changed from one chapter to the next, as one unified diff.
#
# Both chapters are laid out beside each other under the names that their files have
# in common: chapters/NN-words/ becomes chapter/.
#
# usage: diff.sh PREVIOUS CHAPTER 'FILES OF PREVIOUS' 'FILES OF CHAPTER'
set -eu

if [ -z "$1" ]; then
    echo "$2 is the first chapter: nothing comes before it. make chapter-1 files lists its files."
    exit
fi

lay_out() { # FOLDER CHAPTER FILE...
    folder=$1
    own=chapters/$2/
    shift 2
    for file in "$@"; do
        case $file in
        "$own"*) target=$folder/chapter/${file#"$own"} ;;
        *) target=$folder/$file ;;
        esac
        mkdir -p "$(dirname "$target")"
        cp "$file" "$target"
    done
}

work=build/diff/$2
rm -rf "$work"
# The lists are words: no file of ours has a blank in its name.
# shellcheck disable=SC2086
lay_out "$work/$1" "$1" $3
# shellcheck disable=SC2086
lay_out "$work/$2" "$2" $4
cd "$work"
# Without the times of the files: they say nothing about the step.
{ diff -ruN -x chapter.mk "$1" "$2" || [ $? -eq 1 ]; } |
    sed -e '/^diff -ruN/d' -e 's/^\([-+]\{3\} [^	]*\)	.*/\1/'
