#!/usr/bin/env bash
# Installs AWS's own clients: boto3 and the command line into .venv, the SDK for JavaScript into node_modules.
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s requirements.txt .venv/requirements.txt; then
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
    cp requirements.txt .venv/requirements.txt
fi
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
