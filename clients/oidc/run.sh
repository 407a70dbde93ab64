#!/usr/bin/env bash
# A company signs in: npm's certified oidc-provider on the loopback, over HTTPS with a certificate of an authority of our own,
# and a server that trusts that authority. Needs openssl, and what ../aws/prepare.sh installs.
#
#   clients/oidc/run.sh target/debug/reeve
set -euo pipefail

reeve=$(realpath "${1:?the path of the reeve binary is missing}")
cd "$(dirname "$0")"
source ../server.sh
source ./certificates.sh

certificates=$(mktemp -d)
folders+=("$certificates")
make_certificates "$certificates"
# So that the story need not wait for an interval in which nobody is asked.
export REEVE_OIDC_INTERVAL_SECONDS_MIN=1 REEVE_OIDC_TRUST_ANCHORS=$certificates/authority.pem
start_server "$reeve"
# What the provider says of itself, being told so little, is of no interest unless it fails.
NODE_EXTRA_CA_CERTS=$certificates/authority.pem NODE_NO_WARNINGS=1 node story.js --reeve "$reeve" \
    --endpoint "$endpoint" --credentials "$credentials" --folder "$certificates" \
    --aws "$(realpath ../aws/.venv/bin/aws)" 2>"$certificates/stderr" || { cat "$certificates/stderr" "$scratch/stderr" >&2; exit 1; }
