#!/usr/bin/env bash
# Tests that `./xtape docs` refuses a site with gaps, in a copy of the repository with one fault of each kind: each must be named
# with its place, and nothing else. So it tests as well that the repository itself has none. How the pages look it does not test.
# Exit code 77, which ctest reports as skipped, if Doxygen is missing.
#     site_test.sh DIRECTORY    which gets the copy, and is emptied before
set -euo pipefail

if ! command -v doxygen >/dev/null; then
    echo "Not tested: doxygen is missing. ./xtape docs installs it."
    exit 77
fi
repository=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../..
copy=$1
rm -rf -- "$copy"
mkdir -p -- "$copy/examples"
cp -r -- "$repository"/{xtape,README.md,docs,autograd,nn} "$copy/"
cp -r -- "$repository"/examples/{ops,*.cpp} "$copy/examples/"
cd -- "$copy"

# Takes the first line that is `line` out of a file or puts `replacement` in its place, and expects the fault to be named there.
expected=()
plant() {
    local file=$1 line=$2 replacement=$3 what=$4 number
    number=$(grep -nFx -m 1 -- "$line" "$file" | cut -d: -f1)
    [[ $number ]] || { echo "site_test.sh: $file has no line '$line' any more"; exit 1; }
    awk -v number="$number" -v replacement="$replacement" 'NR == number { print replacement; next } { print }' "$file" >planted
    mv -- planted "$file"
    expected+=("$file:$number${5:+$5}: $what")
}

# A function without its docstring: the line of the declaration below it, after a template's.
plant autograd/base/memory.hpp \
    "/// The figures of this moment, some of them the calling thread's and some the whole program's." "" \
    "autograd::memory_statistics: a public name without a docstring"
expected[0]=${expected[0]/:*: autograd/:$(grep -n 'memory_statistics();' autograd/base/memory.hpp | cut -d: -f1): autograd}
# A condition in the place of a type, and a type that there is not.
plant autograd/ops/random.hpp "/// @throws Error if one of them is NaN or outside [0, 1]." "/// @throws if one of them is NaN." \
    "@throws if: names no exception type"
plant nn/losses.hpp "/// @throws ShapeError if the shapes differ." "/// @throws SizeError if the shapes differ." \
    "@throws SizeError: names no exception type"
# Links to a page and to a heading that are not there.
plant docs/checking-gradients.md "# Checking gradients" "# Checking gradients, [or not](no-such-page.md)" \
    "no-such-page.md: a dead link, there is no docs/no-such-page.md"
plant README.md "## Two commands" "## Two commands, [here](docs/autograd.md#no-such-heading)" \
    "docs/autograd.md#no-such-heading: a dead link, docs/autograd.md has no such heading"

if ./xtape docs >output 2>&1; then
    cat output
    echo "site_test.sh: ./xtape docs made a site with gaps"
    exit 1
fi
for each in "${expected[@]}"; do
    grep -qF -- "$each" output || { cat output; echo "site_test.sh: expected '$each'"; exit 1; }
done
# The pages that are made have the dead links as well; a wrong exception is told of twice, as a command and as a name.
others=$(grep -vE '^(build/site/|site/|docs: |nn/losses.hpp:[0-9]+: SizeError: no such exception)' output | grep -vFf <(printf '%s\n' "${expected[@]}") || true)
[[ -z $others ]] || { echo "site_test.sh: what was not planted:"; echo "$others"; exit 1; }
