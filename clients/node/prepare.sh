#!/usr/bin/env bash
# Installs what the Node client needs into node_modules, and generates its stubs from the protos into gen.
set -euo pipefail
cd "$(dirname "$0")"

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
rm -rf gen
mkdir gen
# What lies in storage is no client's business.
find ../../proto/reeve -name '*.proto' -not -path '*/store/*' -print0 |
    xargs -0 node_modules/.bin/pbjs --target static-module --wrap es6 --no-create --no-verify --no-convert \
        --no-delimited --path ../../proto --out gen/reeve.js proto/google/rpc/status.proto
