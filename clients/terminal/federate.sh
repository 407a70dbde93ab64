#!/usr/bin/env bash
# Two servers over TLS, each the other's OpenID provider, and somebody at a terminal who goes from one to the other. Needs
# openssl and Python alone.
#
#   clients/terminal/federate.sh target/debug/reeve
set -euo pipefail

reeve=$(realpath "${1:?the path of the reeve binary is missing}")
cd "$(dirname "$0")"
source ../server.sh
source ../oidc/certificates.sh

certificates=$(mktemp -d)
folders+=("$certificates")
make_certificates "$certificates"
export REEVE_TLS_CERTIFICATE=$certificates/company.pem REEVE_TLS_KEY=$certificates/company.key
export REEVE_OIDC_TRUST_ANCHORS=$certificates/authority.pem
start_server "$reeve"
one=$endpoint one_credentials=$credentials
start_server "$reeve"
python3 federate.py --reeve "$reeve" --authority "$certificates/authority.pem" \
    --home "$one" "$one_credentials" --there "$endpoint" "$credentials"
python3 federate.py --reeve "$reeve" --authority "$certificates/authority.pem" \
    --home "$endpoint" "$credentials" --there "$one" "$one_credentials"
