#!/usr/bin/env bash
# Breaks each stated gradient of the library in turn, and says which of the breaks no op check sees:
#
#     tests/mutation/run.sh [PROCESSES] >table
#
# The faults are switched on while one program runs (fault.hpp, runner.cpp). Their hooks are put into a copy of autograd/,
# by the substitutions below; the library has none. It takes some minutes, and is no part of ./xtape test. Needed is what
# ./xtape setup installs. PROCESSES (2) is how many compilers, and then mutants, run at a time.
# Exit code: 0 all caught, 1 some survived, 2 it could not be told.
set -euo pipefail

root=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..
processes=${1:-2}

die() {
    printf 'mutation: %s\n' "$*" >&2
    exit 2
}

copy=$(mktemp -d)
trap 'rm -rf -- "$copy"' EXIT
mkdir "$copy/tests"
cp -r -- "$root/autograd" "$copy/"
cp -r -- "$root"/tests/{mutation,specs} "$copy/tests/"
cd -- "$copy"
sed 's/@[A-Z_]*@/0/' autograd/base/version.hpp.in >autograd/base/version.hpp  # which CMake makes otherwise

# hook FILE COUNT PATTERN REPLACEMENT: the last two as sed -E has them. The text must be there COUNT times, each on a line
# of its own, else the hooks would silently miss what was rewritten.
hook() {
    local found
    found=$(grep -cE -- "$3" "autograd/$1") || true
    [[ $found == "$2" ]] || die "autograd/$1 has $found lines like '$3', not $2: bring $0 up to date."
    sed -E -i "s~$3~$4~" "autograd/$1"
}

hook core/worlds.hpp 1 '^#include "autograd/core/tape.hpp"$' '&\n#include "tests/mutation/fault.hpp"'
hook core/elementwise_op.hpp 1 '^    auto operator\(\)\(const A&\.\.\. a\) const \{$' \
    '&\n        return fault::call<Elementwise>([\&] { return sound(a...); }, a...);\n    }\n    template <class... A>\n        requires Operands<A...>\n    auto sound(const A\&... a) const {'
hook core/elementwise_op.hpp 1 'return (std::tuple_element_t<K, std::tuple<Rules\.\.\.>>)\{\}\(a\.\.\.\);' \
    'using Rule = \1;\n        return fault::rule<Elementwise, Rule, K>(K, [\&] { return Rule{}(a...); });'
hook core/structured_op.hpp 1 'structure\.gradient\(which, g, each\.\.\., y\)' \
    'fault::rule<S, S, Which::value>(which, [\&] { return &; })'
hook core/structured_op.hpp 1 'structure\.gradient\(which, g, std::span<const X>\(inputs\), y\)' \
    'fault::rule<S, S, fault::any>(which, [\&] { return &; })'
[[ $(grep -cE 'structure\.gradient\(' autograd/core/structured_op.hpp) == 2 ]] ||
    die "autograd/core/structured_op.hpp evaluates rules where this script has no hook."
compiler=("${CXX:-g++}")
if command -v ccache >/dev/null; then compiler=(ccache "${compiler[@]}"); fi
# A fault in a recorded rule is recorded as well, by an operator, which not each file includes that has rules.
compiler+=(-std=c++20 -O1 -fno-math-errno -fno-trapping-math -I. "-I$root" -include autograd/ops/arithmetic.hpp)
case $(uname -m) in x86_64) compiler+=(-march=x86-64-v3) ;; esac

# What opcheck cannot know of an op stands in tests of its own; mutants which opcheck passes are put to these.
mkdir tests/ops nn
cp -- "$root"/nn/*.?pp nn/  # some of the ops of extremes_test are nn's
for name in every_op rounding activations extremes reductions scan softmax statistics; do cp -- "$root/tests/ops/${name}_test.cpp" tests/ops/; done
cp -- "$root"/tests/*.hpp tests/

echo "Compiling the library with hooks ..." >&2
find . -name '*.cpp' -print0 | xargs -0 -P "$processes" -I{} \
    nice "${compiler[@]}" "-DXTAPE_SOURCE_DIR=\"$root\"" -c {} -o {}.o || die "the copy with hooks does not compile."
libraries=(-lopenblas -lfmt -pthread)
find autograd nn tests/specs -name '*.o' -print0 | xargs -0 ar -qc library.a
"${compiler[@]}" -o runner tests/mutation/runner.cpp.o library.a "${libraries[@]}" || die "it does not link."
if [[ -e /usr/include/catch2/catch_all.hpp ]]; then libraries+=(-lCatch2Main -lCatch2); fi
"${compiler[@]}" -o unit_tests tests/ops/*_test.cpp.o tests/mutation/unit_main.cpp.o library.a "${libraries[@]}" ||
    die "it does not link."

status=0
OPENBLAS_NUM_THREADS=1 nice ./runner "$processes" || status=$?
((status <= 1)) || die "the runner failed."
exit "$status"
