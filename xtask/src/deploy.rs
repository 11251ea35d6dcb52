//! `deploy`: another image for the servers of an environment. What it is run on is what Terraform made; nothing here changes
//! that. First the tables, by a task that runs once; then CodeDeploy starts new servers beside the old ones, sends players to
//! them, and calls the function that drains the old ones.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::clock::Stopwatch;
use crate::process::typed;
use crate::step::{Output, Reporter, Steps};

/// How often AWS is asked how far it is.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Tables are changed within seconds; a task needs a minute or two to start.
const MIGRATION_TIME_MAX: Duration = Duration::from_secs(10 * 60);
/// Starting, draining and the time in which one can go back. Both together end before credentials of an hour do.
const DEPLOYMENT_TIME_MAX: Duration = Duration::from_secs(45 * 60);

/// What a task definition is made of. What is described beside it (revision, status, times) may not be sent back.
const DEFINITION: [&str; 14] = [
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "runtimePlatform",
    "ephemeralStorage",
    "pidMode",
    "ipcMode",
];

/// What `deploy` takes. Region and credentials are those of the AWS command line.
#[derive(Args)]
pub(crate) struct DeployArguments {
    /// The image, by digest: REPOSITORY@sha256:…
    image: String,
    /// ECS cluster
    #[arg(long)]
    cluster: String,
    /// ECS service
    #[arg(long, default_value = "server")]
    service: String,
    /// CodeDeploy application
    #[arg(long)]
    application: String,
    /// CodeDeploy deployment group
    #[arg(long, default_value = "servers")]
    group: String,
    /// Lambda function that drains the old servers once players go to the new ones
    #[arg(long)]
    hook: String,
    /// Where servers run from now on, as ECS describes it: {"awsvpcConfiguration": {…}}. Where they run now when left out
    #[arg(long)]
    network: Option<String>,
    /// Go on while an alarm is firing: for a repair of what fires it
    #[arg(long)]
    ignore_alarms: bool,
}

pub(crate) fn run(arguments: &DeployArguments) -> Result<()> {
    ensure!(is_by_digest(&arguments.image), "{} is no image by digest (NAME@sha256:…)", arguments.image);
    let network = arguments.network.as_deref().map(parse_network).transpose()?;
    let mut steps = Steps::new(3, Output::All);
    let mut target = steps.must("task definition", |reporter| register(arguments, reporter))?;
    if let Some(network) = network {
        target.network = network;
    }
    steps.must("migrate", |reporter| migrate(arguments, &target, reporter))?;
    steps.must("blue/green", |reporter| replace(arguments, &target, reporter))?;
    steps.finish()
}

fn parse_network(text: &str) -> Result<Value> {
    let network: Value = serde_json::from_str(text).context("--network is not JSON")?;
    ensure!(
        network["awsvpcConfiguration"]["subnets"].is_array(),
        "--network has no awsvpcConfiguration with subnets"
    );
    Ok(network)
}

fn is_by_digest(image: &str) -> bool {
    let digest = image.split_once("@sha256:").map_or("", |(_, digest)| digest);
    digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What servers are started from, and how they are reached.
struct Target {
    definition: String,
    container: String,
    port: u64,
    network: Value,
}

/// The servers' task definition once more, with the new image.
fn register(arguments: &DeployArguments, reporter: &Reporter) -> Result<Target> {
    let service = ["describe-services", "--cluster", &arguments.cluster, "--services", &arguments.service];
    let service =
        current(&aws("ecs", &service)?).with_context(|| format!("service {}", arguments.service))?;
    // The newest revision and not the one that runs: settings may have been changed since it was started.
    let family = family(&service.definition);
    let described = aws("ecs", &["describe-task-definition", "--task-definition", family])?;
    let next = with_image(&described["taskDefinition"], &service.container, &arguments.image)?;
    let registered = aws("ecs", &["register-task-definition", "--cli-input-json", &next.to_string()])?;
    let definition = text(&registered["taskDefinition"]["taskDefinitionArn"])?.to_owned();
    reporter.say(&format!("{definition} will take the place of {}", service.definition));
    Ok(Target { definition, ..service })
}

/// What the service runs now. Under CodeDeploy that is its primary task set.
fn current(answer: &Value) -> Result<Target> {
    let service = &answer["services"][0];
    let sets = service["taskSets"].as_array().map_or(&[][..], Vec::as_slice);
    let primary = sets.iter().find(|set| set["status"] == "PRIMARY").unwrap_or(service);
    let balancer = &primary["loadBalancers"][0];
    Ok(Target {
        definition: text(&primary["taskDefinition"]).context("it is not there")?.to_owned(),
        container: text(&balancer["containerName"]).context("no balancer leads to it")?.to_owned(),
        port: balancer["containerPort"].as_u64().context("no balancer leads to a port of it")?,
        network: primary["networkConfiguration"].clone(),
    })
}

/// `hero` of `arn:aws:ecs:…:task-definition/hero:7`.
fn family(definition: &str) -> &str {
    let name = definition.rsplit('/').next().unwrap_or(definition);
    name.split(':').next().unwrap_or(name)
}

fn with_image(described: &Value, container: &str, image: &str) -> Result<Value> {
    let parts = DEFINITION.iter().map(|name| ((*name).to_owned(), described[*name].clone()));
    let mut next: Map<String, Value> = parts.filter(|(_, value)| !value.is_null()).collect();
    let containers = next.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    let mut containers = containers.into_iter().flatten();
    let found = containers.find(|found| found["name"] == container);
    found.with_context(|| format!("the task definition has no container {container}"))?["image"] =
        json!(image);
    Ok(Value::Object(next))
}

/// Runs `dopamine-hero migrate` of the new image once and waits for its end.
fn migrate(arguments: &DeployArguments, target: &Target, reporter: &Reporter) -> Result<()> {
    let task = json!({
        "cluster": arguments.cluster,
        "taskDefinition": target.definition,
        "launchType": "FARGATE",
        "count": 1,
        "networkConfiguration": target.network,
        "overrides": { "containerOverrides": [{ "name": target.container, "command": ["migrate"] }] },
    });
    let started = aws("ecs", &["run-task", "--cli-input-json", &task.to_string()])?;
    let Ok(task) = text(&started["tasks"][0]["taskArn"]) else { bail!("no task was started: {started}") };
    reporter.say(&format!("{task} brings the tables up to date"));
    let ended = wait_for(MIGRATION_TIME_MAX, || {
        let described = aws("ecs", &["describe-tasks", "--cluster", &arguments.cluster, "--tasks", task])?;
        let task = described["tasks"][0].clone();
        Ok((task["lastStatus"] == "STOPPED").then_some(task))
    })
    .context("the migration did not end")?;
    migrated(&ended)
}

fn migrated(task: &Value) -> Result<()> {
    let container = &task["containers"][0];
    if container["exitCode"] != 0 {
        let [stopped, reason] = [&task["stoppedReason"], &container["reason"]];
        let code = &container["exitCode"];
        bail!(
            "the migration ended with {code} ({stopped}, {reason}); its log says why, no server was touched"
        );
    }
    Ok(())
}

/// Has CodeDeploy replace the servers and waits until it has, or has gone back.
fn replace(arguments: &DeployArguments, target: &Target, reporter: &Reporter) -> Result<()> {
    let mut deployment = json!({
        "applicationName": arguments.application,
        "deploymentGroupName": arguments.group,
        "description": arguments.image,
        "revision": {
            "revisionType": "AppSpecContent",
            "appSpecContent": { "content": app_spec(target, &arguments.hook).to_string() },
        },
    });
    if arguments.ignore_alarms {
        deployment["overrideAlarmConfiguration"] = json!({ "enabled": false });
    }
    let created = aws("deploy", &["create-deployment", "--cli-input-json", &deployment.to_string()])?;
    let id = text(&created["deploymentId"])?;
    reporter.say(&format!(
        "deployment {id}; the way back: aws deploy stop-deployment --auto-rollback-enabled --deployment-id {id}"
    ));
    let mut before = String::new();
    let info = wait_for(DEPLOYMENT_TIME_MAX, || {
        let info = aws("deploy", &["get-deployment", "--deployment-id", id])?["deploymentInfo"].clone();
        let status = text(&info["status"])?;
        if status != before {
            reporter.say(status);
            before = status.to_owned();
        }
        Ok(["Succeeded", "Failed", "Stopped"].contains(&status).then_some(info))
    })
    .with_context(|| format!("deployment {id} did not end; it goes on without us"))?;
    if info["status"] != "Succeeded" {
        bail!("deployment {id} is {}: {}", info["status"], info["errorInformation"]);
    }
    Ok(())
}

fn app_spec(target: &Target, hook: &str) -> Value {
    // The same names as everywhere else in AWS, but with a capital.
    let network = &target.network["awsvpcConfiguration"];
    let network = json!({ "AwsvpcConfiguration": {
        "Subnets": network["subnets"],
        "SecurityGroups": network["securityGroups"],
        "AssignPublicIp": network["assignPublicIp"],
    } });
    json!({
        "version": 0.0,
        "Resources": [{ "TargetService": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "TaskDefinition": target.definition,
                "LoadBalancerInfo": { "ContainerName": target.container, "ContainerPort": target.port },
                "NetworkConfiguration": network,
            },
        } }],
        "Hooks": [{ "AfterAllowTraffic": hook }],
    })
}

/// Asks until there is an answer, but not for ever.
fn wait_for<T>(time_max: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Stopwatch::start();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        ensure!(started.elapsed() < time_max, "not within {} minutes", time_max.as_secs() / 60);
        thread::sleep(ASK_EVERY);
    }
}

fn aws(service: &str, arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new("aws");
    command
        .args([service])
        .args(arguments)
        .args(["--output", "json"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let shown = format!("aws {service} {}", arguments.first().unwrap_or(&""));
    let output = command.output().with_context(|| format!("cannot start `{}`", typed(&command)))?;
    ensure!(output.status.success(), "`{shown}` ended with {}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("`{shown}` did not answer in JSON"))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("an answer of AWS lacks a part")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> Value {
        json!({
            "taskDefinitionArn": "arn:server:7", "revision": 7, "status": "ACTIVE", "registeredAt": 1, "cpu": "512",
            "family": "server", "containerDefinitions": [
                { "name": "beside", "image": "a" }, { "name": "server", "image": "b", "user": "10001" },
            ],
        })
    }

    #[test]
    fn only_the_image_of_the_one_container_changes() {
        let next = with_image(&described(), "server", "new").unwrap();
        let containers = json!([{ "name": "beside", "image": "a" }, { "name": "server", "image": "new", "user": "10001" }]);
        assert_eq!(next, json!({ "family": "server", "cpu": "512", "containerDefinitions": containers }));
        let error = with_image(&described(), "other", "new").unwrap_err().to_string();
        assert!(error.contains("no container other"), "{error}");
    }

    #[test]
    fn the_family_is_the_name_without_a_revision() {
        assert_eq!(family("arn:aws:ecs:eu-central-1:1:task-definition/hero-staging:7"), "hero-staging");
        assert_eq!(family("hero:7"), "hero");
    }

    #[test]
    fn an_image_without_digest_is_refused() {
        let digest = "0123456789abcdef".repeat(4);
        assert!(is_by_digest(&format!("ghcr.io/a/b@sha256:{digest}")));
        for image in ["ghcr.io/a/b:1.2.3", "ghcr.io/a/b@sha256:0123", &format!("b@sha256:{digest}0")] {
            assert!(!is_by_digest(image), "{image}");
        }
    }

    #[test]
    fn what_runs_now_is_the_primary_task_set() {
        let set = |status: &str, definition: &str| {
            json!({ "status": status, "taskDefinition": definition,
                "loadBalancers": [{ "containerName": "server", "containerPort": 3001 }], "networkConfiguration": {} })
        };
        let answer = json!({ "services": [{ "taskDefinition": "first",
            "taskSets": [set("ACTIVE", "green"), set("PRIMARY", "blue")] }] });
        let target = current(&answer).unwrap();
        assert_eq!(
            (target.definition.as_str(), target.container.as_str(), target.port),
            ("blue", "server", 3001)
        );
        assert!(current(&json!({ "services": [] })).is_err());
    }

    #[test]
    fn a_migration_that_failed_stops_everything() {
        assert!(migrated(&json!({ "containers": [{ "exitCode": 0 }] })).is_ok());
        let failed = migrated(&json!({ "stoppedReason": "ended", "containers": [{ "exitCode": 69 }] }));
        let error = failed.unwrap_err().to_string();
        assert!(error.contains("69") && error.contains("no server was touched"), "{error}");
        assert!(migrated(&json!({ "containers": [{ "reason": "no image" }] })).is_err(), "it never started");
    }

    #[test]
    fn the_hook_is_called_after_players_went_to_the_new_servers() {
        let target = Target {
            definition: "arn:server:8".into(),
            container: "server".into(),
            port: 3001,
            network: parse_network(
                r#"{"awsvpcConfiguration": {"subnets": ["a"], "securityGroups": ["b"], "assignPublicIp": "DISABLED"}}"#,
            )
            .unwrap(),
        };
        let spec = app_spec(&target, "drain");
        assert_eq!(spec["Hooks"], json!([{ "AfterAllowTraffic": "drain" }]));
        let properties = &spec["Resources"][0]["TargetService"]["Properties"];
        assert_eq!(properties["TaskDefinition"], "arn:server:8");
        assert_eq!(properties["LoadBalancerInfo"]["ContainerPort"], 3001);
        let network = json!({ "Subnets": ["a"], "SecurityGroups": ["b"], "AssignPublicIp": "DISABLED" });
        assert_eq!(properties["NetworkConfiguration"]["AwsvpcConfiguration"], network);
    }

    #[test]
    fn a_network_is_checked_before_anything_is_changed() {
        for wrong in ["", "{}", r#"{"subnets": ["a"]}"#] {
            assert!(parse_network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn waiting_has_an_end() {
        let error = wait_for(Duration::ZERO, || Ok(None::<()>)).unwrap_err().to_string();
        assert_eq!(error, "not within 0 minutes");
    }
}
