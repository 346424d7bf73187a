#!/usr/bin/env bash
# Tests that `./xtape docs` refuses a site with gaps, in a copy of the repository with faults of each kind: each must be named with
# its place, and nothing else. So it tests as well that the repository itself has none. How the pages look it does not test.
# Exit code 77, which ctest reports as skipped, if Doxygen or Python is missing.
#
#     site_test.sh DIRECTORY    which is emptied, and gets the copy
set -euo pipefail

for program in doxygen python3; do
    if ! command -v "$program" >/dev/null; then
        echo "Not tested: $program is missing. ./xtape docs installs it."
        exit 77
    fi
done
repository=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..
copy=$1
rm -rf -- "$copy"
mkdir -p -- "$copy/examples/ae_vs_vae"
cp -r -- "$repository"/{xtape,*.md,docs,autograd,nn} "$copy/"
cp -r -- "$repository"/examples/{ops,*.cpp,*.hpp} "$copy/examples/"
cp -- "$repository"/examples/ae_vs_vae/{models.hpp,scores.cpp} "$copy/examples/ae_vs_vae/"
cd -- "$copy"

fail() {
    cat output
    echo "site_test.sh: $*"
    exit 1
}

# plant FILE LINE REPLACEMENT FAULT [PLACE]: puts REPLACEMENT in the place of the first line that is LINE, and expects FAULT to be
# named there, or at the place given.
expected=()
plant() {
    local file=$1 line=$2 replacement=$3 fault=$4 number
    number=$(grep -nFx -m 1 -- "$line" "$file" | cut -d: -f1)
    [[ $number ]] || { echo "site_test.sh: $file has no line '$line' any more"; exit 1; }
    awk -v number="$number" -v text="$replacement" 'NR == number { print text; next } { print }' "$file" >planted
    mv -- planted "$file"
    expected+=("${5:-$file:$number}: $fault")
}

line_of() { grep -nF -m 1 -- "$2" "$1" | cut -d: -f1; }

# Public names without a docstring: a function, and an op without its row in the table.
plant autograd/base/memory.hpp \
    "/// The figures of this moment, some of them the calling thread's and some the whole program's." "" \
    "autograd::memory_statistics: a public name without a docstring" \
    "autograd/base/memory.hpp:$(line_of autograd/base/memory.hpp 'MemoryStatistics memory_statistics();')"
# shellcheck disable=SC2016  # these backquotes are Markdown's
plant docs/ops.md '| `expm1` | exp(x) - 1 | g exp(x) |  |  |' "" \
    "autograd::expm1: a public name without a docstring" \
    "autograd/ops/exponential.hpp:$(line_of autograd/ops/exponential.hpp 'elementwise<"expm1">')"
# In the place of an exception's type a condition, and a type that there is not.
plant autograd/ops/random.hpp "/// @throws Error if one of them is NaN or outside [0, 1]." "/// @throws if one of them is NaN." \
    "@throws if: names no exception type"
plant nn/losses.hpp "/// @throws ShapeError if the shapes differ." "/// @throws SizeError if the shapes differ." \
    "@throws SizeError: names no exception type"
# Links to a page, to a heading and to a name that are not there.
plant docs/autograd.md "[Adding an op](adding-an-op.md) goes on from here." "[Adding an op](no-such-page.md) goes on from here." \
    "no-such-page.md: a dead link, there is no docs/no-such-page.md"
plant README.md "[docs/ops.md](docs/ops.md) lists the ops that are there." "[docs/ops.md](docs/ops.md#no-such-heading) lists them." \
    "docs/ops.md#no-such-heading: a dead link, docs/ops.md has no such heading"
plant autograd/ops/random.hpp "/// A leaf of \`like\`'s shape from N(0, 1), one draw of \`rng\`." "/// A leaf, as @ref no_such_name." \
    "unable to resolve reference to 'no_such_name'"

if ./xtape docs >output 2>&1; then fail "./xtape docs made a site with gaps"; fi
for each in "${expected[@]}"; do
    grep -qF -- "$each" output || fail "expected '$each'"
done
# The pages that were made have the dead links too, and a wrong type of exception is told of as a name as well.
printf '%s\n' "${expected[@]}" >expected
others=$(grep -vFf expected output | grep -vE '^site/.*no-such|SizeError: no such|^docs: ' || true)
[[ -z $others ]] || fail "what was not planted: $others"
