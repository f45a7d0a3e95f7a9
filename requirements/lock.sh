#!/bin/sh
# Pins every requirement with hashes (`make lock`). No registry's address is recorded: only names, versions, hashes.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
  --no-emit-index-url --no-header "$@"; }
compile pyproject.toml -o src/requirements.txt
compile --extra cli pyproject.toml requirements/dev.in -o requirements/dev.txt
compile requirements/sam.in -o requirements/sam.txt
compile requirements/template-security.in -o requirements/template-security.txt
