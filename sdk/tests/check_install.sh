#!/bin/sh
# usage: check_install.sh BUILD_DIR C_COMPILER SANITIZERS
# Installs the SDK into a directory of its own, builds programs against it in the ways there are, and runs it.
set -eu
build=$1 compiler=$2 sanitizers=$3
here=$(dirname "$0")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cmake -DCMAKE_INSTALL_PREFIX="$place/weir" -DCMAKE_INSTALL_LOCAL_ONLY=1 -P "$build/sdk/cmake_install.cmake" > /dev/null
flags=
if [ -n "$sanitizers" ]; then flags="-fsanitize=$(echo "$sanitizers" | tr ';' ',')"; fi
PKG_CONFIG_PATH=$(find "$place/weir" -name pkgconfig) cmake -S "$here/installed" -B "$place/program" \
    -DCMAKE_PREFIX_PATH="$place/weir" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" > "$place/log" 2>&1 || { cat "$place/log"; exit 1; }
cmake --build "$place/program" > "$place/log" 2>&1 || { cat "$place/log"; exit 1; }
count=0
for program in "$place"/program/with_*; do
    test "$("$program")" = "0.1.0 invalid"
    count=$((count + 1))
done
test $count = 5
