#!/usr/bin/env bash
# A story told by the `aws` command line, which knows nothing of Reeve but its address.
#
#   command_line.sh http://127.0.0.1:7443 reeve-credentials called.txt
set -euo pipefail

endpoint=${1:?the endpoint is missing} credentials=${2:?the credentials are missing} record=${3:?the record is missing}
aws="$(dirname "$0")/.venv/bin/aws"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp "$credentials" "$scratch/credentials"
export AWS_CONFIG_FILE=$scratch/config AWS_SHARED_CREDENTIALS_FILE=$scratch/credentials AWS_PROFILE=root
export AWS_MAX_ATTEMPTS=1 AWS_PAGER= AWS_DEFAULT_OUTPUT=json

# Calls, and notes which operation that was: `iam get-user` is iam:GetUser.
call() {
    local service=$1 command=$2 name= word
    for word in ${command//-/ }; do name+=${word^}; done
    echo "aws $service:$name" >>"$record"
    "$aws" "$@"
}
check() { if [[ $1 == "$2" ]]; then echo "ok: $3"; else echo "NOT SO: $3: '$1' is not '$2'"; exit 1; fi; }

# The profiles are those that anybody would begin with.
profiles="$(dirname "$0")/../../deploy/aws-config"
sed "s|http://127.0.0.1:7443|$endpoint|" "$profiles" >"$scratch/config"
account=$(call sts get-caller-identity --query Account --output text)
sed -i "s|123456789012|$account|" "$scratch/config"
arn=$(call iam create-user --user-name teller --path /cli/ --tags Key=team,Value=red Key=cost,Value=1 \
    --query User.Arn --output text)
check "$arn" "arn:aws:iam::$account:user/cli/teller" "made $arn"
"$aws" iam wait user-exists --user-name teller
echo "ok: waited for it"
check "$(call iam list-user-tags --user-name teller --query 'Tags[].Key' --output text)" $'cost\tteam' "its tags are listed"
call iam put-user-policy --user-name teller --policy-name see --policy-document \
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}'
check "$(call iam get-user-policy --user-name teller --policy-name see --query PolicyDocument.Statement.Action --output text)" \
    iam:GetUser "its policy is shown as JSON"

call iam create-access-key --user-name teller --output text \
    --query 'AccessKey.join(``, [`[app]\naws_access_key_id = `, AccessKeyId, `\naws_secret_access_key = `, SecretAccessKey, `\n`])' \
    >>"$scratch/credentials"
check "$(call iam get-user --profile app --query User.UserName --output text)" teller "its key signs"
if call iam list-roles --profile app >"$scratch/denied" 2>&1; then echo "NOT SO: denied"; exit 1; fi
grep -q "(AccessDenied) when calling the ListRoles operation: User: $arn is not authorized to perform: iam:ListRoles" \
    "$scratch/denied" || { cat "$scratch/denied"; exit 1; }
echo "ok: denied in AWS's words"

for number in 1 2 3; do call iam create-group --group-name "counter-$number" >/dev/null; done
check "$(call iam list-groups --page-size 1 --query 'length(Groups)')" 3 "groups come page by page"
token=$(call iam list-groups --max-items 2 --query NextToken)
token=${token//\"/}
check "$(call iam list-groups --starting-token "$token" --query 'Groups[].GroupName' --output text)" counter-3 \
    "and go on where they stopped"
for number in 1 2 3; do call iam delete-group --group-name "counter-$number"; done

call iam create-role --role-name viewer --assume-role-policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"$arn\"},\"Action\":\"sts:AssumeRole\"}}" \
    >/dev/null
check "$(call sts assume-role --profile app --role-arn "arn:aws:iam::$account:role/viewer" --role-session-name day \
    --query AssumedRoleUser.Arn --output text)" "arn:aws:sts::$account:assumed-role/viewer/day" "a role is assumed"
arn=$(call sts get-caller-identity --profile viewer --query Arn --output text)
check "${arn%/*}" "arn:aws:sts::$account:assumed-role/viewer" "the tool assumes it by itself"

call iam delete-role --role-name viewer
call iam delete-access-key --user-name teller --access-key-id \
    "$(call iam list-access-keys --user-name teller --query 'AccessKeyMetadata[0].AccessKeyId' --output text)"
call iam delete-user-policy --user-name teller --policy-name see
call iam delete-user --user-name teller
