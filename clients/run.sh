#!/usr/bin/env bash
# Runs the main job in Python and in Node, and a person's way through sign-in in Python and at a terminal, against a server
# that it starts for them and stops again; and then, against another, AWS's own clients, which call every operation that AWS
# has, and the example object store through boto3; and last a company's OpenID provider, whose people sign in.
#
#   clients/run.sh target/debug/reeve target/debug/reeve-object-store
set -euo pipefail

reeve=$(realpath "${1:?the path of the reeve binary is missing}")
object_store=$(realpath "${2:?the path of the object store is missing}")
cd "$(dirname "$0")"
python/prepare.sh
node/prepare.sh
aws/prepare.sh
oidc/prepare.sh
source ./server.sh

start_server "$reeve"
echo "Python:"
python/.venv/bin/python python/main_job.py --endpoint "$endpoint" --credentials "$credentials"
python/.venv/bin/python python/people.py --endpoint "$endpoint" --credentials "$credentials"
echo "Terminal:"
python3 terminal/hire.py --reeve "$reeve" --endpoint "$endpoint" --credentials "$credentials"
echo "Node:"
node node/main_job.js --endpoint "$endpoint" --credentials "$credentials"
stop_servers
echo "Two clusters, at a terminal:"
terminal/federate.sh "$reeve"

aws/run.sh "$reeve" "$object_store"
echo "A company signs in:"
oidc/run.sh "$reeve"
