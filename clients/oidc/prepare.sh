#!/usr/bin/env bash
# Installs the company's provider and the AWS SDK for JavaScript into node_modules.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
