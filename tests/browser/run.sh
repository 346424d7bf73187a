#!/usr/bin/env bash
# Tests report.html in a browser:  run.sh FIXTURE DIRECTORY
# FIXTURE is the program xtape_report_fixture; DIRECTORY gets its report and the screenshots, and has node_modules from
# `./xtape browser`. Exit code 77, which ctest reports as skipped, if node, Chromium or node_modules is missing; but 1 if
# XTAPE_BROWSER_REQUIRED is set.
set -euo pipefail

fixture=$1
directory=$2

skip() {
    echo "Not tested in a browser: $1 is missing. ./xtape browser installs it."
    [[ ${XTAPE_BROWSER_REQUIRED:-} ]] && exit 1
    exit 77
}

command -v node >/dev/null || skip node
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip chromium
[[ -d $directory/node_modules/playwright-core ]] || skip playwright-core

"$fixture" "$directory"
exec node "$(dirname -- "${BASH_SOURCE[0]}")/report_test.mjs" "$browser" "$directory"
