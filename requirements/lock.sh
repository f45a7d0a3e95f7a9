#!/bin/sh
# Pins every requirement with hashes (`make lock`). No registry's address is recorded: only names, versions, hashes.
set -eu
cd "$(dirname "$0")/.."
# One version of each package for all Pythons (--fork-strategy): what a laptop tests is what the Lambda runs.
compile() { uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-emit-index-url --no-header "$@"; }
compile requirements/lambda.in -o src/requirements.txt
compile pyproject.toml requirements/dev.in -o requirements/dev.txt
compile requirements/sam.in -o requirements/sam.txt
compile requirements/template-security.in -o requirements/template-security.txt
compile requirements/peers.in -o requirements/peers.txt
