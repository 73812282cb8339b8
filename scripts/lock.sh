#!/bin/bash
# Write requirements.lock (to run) and requirements-dev.lock (to develop and test) from
# pyproject.toml, with hashes, for every platform, naming no index.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v .venv/bin/uv || command -v uv)
build=$(sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml)

lock() {
  local file=$1
  shift
  echo "$build" | "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    pyproject.toml - --output-file "$file" "$@"
}

lock requirements.lock --extra demo
lock requirements-dev.lock --extra demo --extra dev --constraint requirements.lock
