#!/usr/bin/env bash
# Brings an image to an environment: the infrastructure first, then, by `cargo xtask deploy`, the tables and the servers. It stops at
# whatever fails.
#   deploy.sh ENVIRONMENT PHASE IMAGE [--ignore-alarms]
#   deploy.sh production phase-1 123456789012.dkr.ecr.us-east-1.amazonaws.com/dopamine-hero@sha256:…
# On a terminal Terraform shows its plan and asks; in a pipeline it does not ask.
set -euo pipefail

usage() {
  echo "usage: deploy.sh staging|production phase-1|phase-2|phase-3 IMAGE [--ignore-alarms]" >&2
  exit 2
}

cd "$(dirname "$0")"
[ $# -ge 3 ] || usage
environment=$1 phase=$2 image=$3
if [ ! -d "environments/$environment" ] || [ ! -f "phases/$phase.tfvars" ]; then usage; fi
alarms=()
case ${4:-} in
  '') ;;
  # For a repair while ApiErrors is firing: the alarm would stop the very deploy that mends it.
  --ignore-alarms) alarms=(--ignore-alarms) ;;
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
names=$(terraform output -json names)
name() {
  node -e 'process.stdout.write(JSON.parse(process.argv[1])[process.argv[2]])' "$names" "$1"
}
AWS_REGION=$(terraform output -raw region)
export AWS_REGION
exec cargo xtask deploy "$image" --cluster "$(name cluster)" --service "$(name service)" \
  --application "$(name application)" --group "$(name group)" --hook "$(name hook)" --network "$(name network)" "${alarms[@]}"
