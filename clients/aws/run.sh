#!/usr/bin/env bash
# Runs AWS's own clients against a server that is started for them: boto3, the command line and the SDK for JavaScript, which
# between them call every operation that AWS has and Reeve has; and the example object store, through boto3's S3 client.
#
#   clients/aws/run.sh target/debug/reeve target/debug/reeve-object-store
set -euo pipefail

reeve=$(realpath "${1:?the path of the reeve binary is missing}")
object_store=$(realpath "${2:?the path of the object store is missing}")
cd "$(dirname "$0")"
source ../server.sh
python=.venv/bin/python

echo "AWS's models:"
"$python" models.py | diff - ../../tests/aws/models.txt || { echo "tests/aws/models.txt is not botocore's" >&2; exit 1; }

start_server "$reeve"
url=http://$endpoint
called=$scratch/called
echo "boto3:"
"$python" stories.py --endpoint "$url" --credentials "$credentials" --record "$called"
echo "The aws command line:"
./command_line.sh "$url" "$credentials" "$called"
echo "The AWS SDK for JavaScript:"
node story.js "$url" "$credentials" "$called"
echo "Operations called by AWS's clients:"
"$python" coverage.py ../../tests/catalogue.txt ../../tests/aws/models.txt "$called"

echo "The object store:"
export AWS_SHARED_CREDENTIALS_FILE=$credentials AWS_PROFILE=root AWS_DEFAULT_REGION=us-east-1
aws() { .venv/bin/aws --endpoint-url "$url" --output text "$@"; }
aws iam create-user --user-name object-store >"$scratch/store"
aws iam put-user-policy --user-name object-store --policy-name ask --policy-document '{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "reeve:AuthorizeSignedRequest", "Resource": "arn:aws:s3:::reports*"}}'
read -r id secret < <(aws iam create-access-key --user-name object-store \
    --query 'AccessKey.[AccessKeyId, SecretAccessKey]')
account=$(aws sts get-caller-identity --query Account)
AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret start "the object store is ready on" "$object_store" \
    --listen 127.0.0.1:0 --reeve "$url" --bucket reports --account "$account"
"$reeve" authorization register-relying-service --endpoint "$url" --name object-store --hosts "$endpoint" \
    --scope-service s3 --resource-patterns 'arn:aws:s3:::reports' 'arn:aws:s3:::reports/*' >"$scratch/registered"
"$python" object_store.py --reeve "$url" --store "http://$endpoint" --credentials "$credentials"
