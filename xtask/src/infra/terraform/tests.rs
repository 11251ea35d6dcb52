//! Each rule is seen to fail on the real files with one thing changed.

use super::super::Tree;
use super::{numbers, read};
use crate::workspace::Workspace;

fn real() -> Tree {
    let workspace = Workspace::load().expect("cargo metadata works");
    read(&workspace).expect("the files can be read")
}

#[test]
fn this_checkout_holds() {
    let found = numbers::findings(&real());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The only new finding after a text of one file became another one.
#[track_caller]
fn check(path: &str, old: &str, new: &str, expected: &str) {
    let Tree(mut files) = real();
    let (_, text) = files.iter_mut().find(|(found, _)| found == path).expect("there is such a file");
    assert!(text.contains(old), "{path} does not have {old}");
    *text = text.replace(old, new);
    let found = numbers::findings(&Tree(files));
    assert!(found.iter().any(|finding| finding.contains(expected)), "{expected} is not among {found:#?}");
}

const SERVER: &str = "infrastructure/terraform/modules/server/main.tf";
const DATABASE: &str = "infrastructure/terraform/modules/database/main.tf";
const BALANCER: &str = "infrastructure/terraform/modules/balancer/main.tf";
const PRODUCTION: &str = "infrastructure/terraform/environments/production/terraform.tfvars";
const PHASE: &str = "infrastructure/terraform/phases/phase-2.tfvars";

#[test]
fn a_drain_without_its_time_is_found() {
    check(SERVER, "stopTimeout = 35", "stopTimeout = 20", "a drain of 25000 ms would be killed");
    check(SERVER, "\"25000\"", "\"36000\"", "a drain of 36000 ms would be killed");
    check(SERVER, "stopTimeout = 35", "stopTimeout = 120", "a drain may take 90 s");
    check(SERVER, "stopTimeout = 35", "stopTimeout = var.stop", "is missing or no number");
    check(BALANCER, "deregistration_delay = 15", "deregistration_delay = 300", "a drain may take 90 s");
    let hook = "infrastructure/terraform/modules/deploy/hook.tf";
    check(hook, "timeout = 90", "timeout = 91", "91 s by the hook");
}

#[test]
fn an_idle_timeout_below_the_ping_is_found() {
    check(BALANCER, "= 120", "= 15", "every 15000 ms would be cut");
    check(
        numbers::CLIENT,
        "PING_EVERY_MS = 15_000",
        "PING_EVERY_MS = 120_000",
        "every 120000 ms would be cut",
    );
    check(numbers::CLIENT, "const PING_EVERY_MS", "const PING_MS", "PING_EVERY_MS");
}

#[test]
fn other_numbers_than_the_promised_ones_are_found() {
    check(SERVER, "max_capacity       = 10", "max_capacity       = 20", "max_capacity is 20, not 10");
    check(SERVER, "target_value       = 70", "target_value       = 75", "target_value is 75, not 70");
    check(SERVER, "target_value       = 80", "target_value       = 75", "target_value is 75, not 80");
    check(SERVER, "scale_in_cooldown  = 300", "scale_in_cooldown  = 30", "scale_in_cooldown is 30, not 300");
    check(SERVER, "scale_out_cooldown = 60", "", "scale_out_cooldown is nothing, not 60");
    check(DATABASE, "backup_retention_period   = 7", "backup_retention_period   = 1", "is 1, not 7");
    let alarms = "infrastructure/terraform/modules/alarms/main.tf";
    check(alarms, "[50, 80, 100]", "[80, 100]", "the budget is told at [80, 100]");
}

#[test]
fn a_database_that_may_lose_something_is_found() {
    for name in ["fsync", "full_page_writes"] {
        let old = format!("name  = \"{name}\"\n    value = \"1\"");
        check(DATABASE, &old, &old.replace('1', "0"), &format!("the parameter {name} is not 1"));
    }
    check(DATABASE, "value = \"on\"", "value = \"off\"", "the parameter synchronous_commit is not on");
    check(DATABASE, "value        = \"300\"", "value        = \"100\"", "less than the 260 of a deploy");
    check(
        DATABASE,
        "storage_encrypted     = true",
        "storage_encrypted = false",
        "storage_encrypted is not true",
    );
    check(DATABASE, "deletion_protection       = var.protects_data", "", "deletion_protection is not");
    check(DATABASE, "= !var.protects_data", "= true", "skip_final_snapshot is not !var.protects_data");
    check(PRODUCTION, "= true", "= false", "protects_data is not true");
}

#[test]
fn a_variable_that_the_server_does_not_know_is_found() {
    check(
        SERVER,
        "DRAIN_DEADLINE_MS  =",
        "DRAIN_DEADLINE_MS = \"25000\"\n    DRAIN_MS =",
        "no variable DRAIN_MS",
    );
    check(SERVER, "DATABASE_URL      =", "POSTGRES_URL      =", "no variable POSTGRES_URL");
    check(SERVER, "{ REDIS_URL =", "{ CACHE_URL =", "no variable CACHE_URL");
    check(".env.example", "\nLOG_FORMAT=", "\n# LOG_FORMAT=", "no variable LOG_FORMAT");
    let variables = "infrastructure/terraform/environments/production/variables.tf";
    check(variables, "\"SECRET_KEYS\"", "\"SECRET\"", "no variable SECRET");
    check(PRODUCTION, "protects_data ", "settings = { MAIL = \"a\" }\nprotects_data ", "no variable MAIL");
}

#[test]
fn a_phase_beside_the_plan_is_found() {
    check(
        PHASE,
        "server_memory_mib   = 512",
        "server_memory_mib   = 700",
        "250 millicores with 700 MiB have no price",
    );
    check(PHASE, "db.t4g.medium", "db.t4g.large", "the database db.t4g.large has no price");
    check(PHASE, "cache.t4g.micro", "cache.m6g.large", "the cache cache.m6g.large has no price");
    check(PHASE, "= 280", "= 300", "the plan of this phase is 280");
    check(PHASE, "servers_min         = 2", "servers_min         = 0", "there are 1 to 10 servers");
}

#[test]
fn environments_that_differ_and_exceptions_without_reason_are_found() {
    let main = "infrastructure/terraform/environments/staging/main.tf";
    check(main, "backend \"s3\" {}", "", "main.tf differs between staging and production");
    check(BALANCER, "CKV_AWS_150:Switched", "CKV_AWS_150:ok\n  # Switched", "this exception has no reason");
    check(main, "module \"environment\" {", "module \"environment\"", "is no HCL");
}
