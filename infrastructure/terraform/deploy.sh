#!/usr/bin/env bash
# Brings an image to an environment: the infrastructure first, then the tables, then the servers, and stops at whatever fails.
#   deploy.sh ENVIRONMENT PHASE IMAGE [--ignore-alarms]
#   deploy.sh production phase-1 123456789012.dkr.ecr.us-east-1.amazonaws.com/dopamine-hero@sha256:…
# On a terminal Terraform shows its plan and asks; in a pipeline it does not ask.
set -euo pipefail

usage() {
  echo "usage: deploy.sh staging|production phase-1|phase-2|phase-3 IMAGE [--ignore-alarms]" >&2
  exit 2
}
fail() {
  echo "error: $*" >&2
  exit 1
}

cd "$(dirname "$0")"
[ $# -ge 3 ] || usage
environment=$1 phase=$2 image=$3
if [ ! -d "environments/$environment" ] || [ ! -f "phases/$phase.tfvars" ]; then usage; fi
alarms=()
case ${4:-} in
  '') ;;
  # For a repair while ApiErrors is firing: the alarm would stop the very deploy that mends it.
  --ignore-alarms) alarms=(--override-alarm-configuration enabled=false) ;;
  *) usage ;;
esac
approve=()
[ -t 0 ] || approve=(-auto-approve)

mkdir -p dist
rm -f dist/drain.zip
(cd modules/deploy/drain && python3 -m zipfile --create ../../../dist/drain.zip drain.mjs hook.mjs ask.mjs)

cd "environments/$environment"
terraform init -input=false -backend-config=backend.hcl
terraform apply "${approve[@]}" -var-file="../../phases/$phase.tfvars" -var "image=$image"
region=$(terraform output -raw region)
cluster=$(terraform output -raw cluster)
migration=$(terraform output -raw migration)
deployment=$(terraform output -raw deployment)

echo "migrating the database"
task=$(aws --region "$region" ecs run-task --cli-input-json "$migration" --query 'tasks[0].taskArn' --output text)
[ "$task" != None ] || fail "ECS started no migration: ask \`aws ecs describe-clusters\` and its quotas"
aws --region "$region" ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
code=$(aws --region "$region" ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
if [ "$code" != 0 ]; then
  aws --region "$region" ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].stoppedReason' --output text >&2
  fail "the migration ended with $code; its log is in $(terraform output -raw log_group), stream hero/migrate/${task##*/}. The servers are as they were"
fi

echo "replacing the servers"
id=$(aws --region "$region" deploy create-deployment --cli-input-json "$deployment" "${alarms[@]}" --query deploymentId --output text)
echo "deployment $id; within five minutes of the switch: aws --region $region deploy stop-deployment --auto-rollback-enabled --deployment-id $id"
aws --region "$region" deploy wait deployment-successful --deployment-id "$id" ||
  fail "deployment $id did not succeed: \`aws --region $region deploy get-deployment --deployment-id $id\` says why"
echo "done"
