#!/usr/bin/env bash
# Installs what the Python client needs into .venv, and generates its stubs from the protos into gen.
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s requirements.txt .venv/requirements.txt; then
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
    cp requirements.txt .venv/requirements.txt
fi

rm -rf gen
mkdir gen
protos=../../proto
# What lies in storage is no client's business.
find "$protos/reeve" -name '*.proto' -not -path '*/store/*' -print0 |
    xargs -0 .venv/bin/python -m grpc_tools.protoc -I "$protos" --python_out=gen --grpc_python_out=gen
