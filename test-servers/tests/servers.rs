//! The servers are real, come back, and leave nothing behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_servers::{Postgres, PostgresOptions, Prometheus, Redis, S3};

/// Looks until it is so, for 30 s.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not within 30 s");
}

fn process_is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/cwd")).read_link().is_ok()
}

fn shared_memory() -> String {
    std::fs::read_to_string("/proc/sysvipc/shm").expect("Linux has /proc")
}

/// Whether one of the shared memory segments was made by the process.
fn has_shared_memory_of(pid: u32) -> bool {
    shared_memory().lines().any(|line| line.split_whitespace().nth(4) == Some(&pid.to_string()))
}

#[test]
fn postgres_is_safe_and_survives_a_kill() {
    let mut postgres = Postgres::start();
    let url = postgres.new_database();
    assert_ne!(url, postgres.new_database());
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(postgres.sql(&url, &format!("SHOW {setting}")), "on");
    }
    postgres.sql(&url, "CREATE TABLE kept (n int)");
    postgres.sql(&url, "INSERT INTO kept SELECT generate_series(1, 1000)");
    let before = postgres.pid();
    postgres.kill();
    assert!(!process_is_there(before));
    postgres.restart();
    assert_ne!(postgres.pid(), before);
    assert_eq!(postgres.sql(&url, "SELECT count(*), sum(n) FROM kept"), "1000|500500");
    assert!(postgres.log().contains("database system was not properly shut down"), "{}", postgres.log());

    let (folder, pid) = (postgres.folder().to_owned(), postgres.pid());
    assert!(has_shared_memory_of(pid), "{}", shared_memory());
    drop(postgres);
    assert!(!folder.exists() && !process_is_there(pid));
    assert!(!has_shared_memory_of(pid) && !has_shared_memory_of(before), "{}", shared_memory());
}

#[test]
fn prometheus_answers_and_leaves_nothing() {
    let configuration = "global:\n  scrape_interval: 1s\n";
    let prometheus = Prometheus::start(&[("prometheus.yml", configuration)]);
    let answer = prometheus.api("query", &[("query", "1 + 1 == bool 2")]);
    assert!(answer.contains("\"status\":\"success\"") && answer.contains(",\"1\"]"), "{answer}");
    let answer = prometheus.api("query", &[("query", "1 +")]);
    assert!(answer.contains("\"status\":\"error\""), "{answer}");
    let (folder, pid) = (prometheus.folder().to_owned(), prometheus.pid());
    assert!(process_is_there(pid));
    drop(prometheus);
    assert!(!folder.exists() && !process_is_there(pid));
}

#[test]
fn options_reach_postgres() {
    let options = PostgresOptions {
        settings: vec!["work_mem=1234kB".to_owned()],
        wrapper: vec!["env".to_owned(), "WRAPPED=yes".to_owned()],
        max_connections: 17,
        ..PostgresOptions::default()
    };
    let (one, other) = (Postgres::start_with(&options), Postgres::start());
    assert_ne!(one.port(), other.port());
    assert_eq!(one.sql(&one.url(), "SHOW work_mem"), "1234kB");
    assert_eq!(one.sql(&one.url(), "SHOW max_connections"), "17");
    let is_wrapped = |server: &Postgres| {
        let environment = std::fs::read(format!("/proc/{}/environ", server.pid())).unwrap();
        String::from_utf8_lossy(&environment).contains("WRAPPED=yes")
    };
    assert!(is_wrapped(&one) && !is_wrapped(&other));
}

#[test]
fn redis_forgets_what_was_not_saved() {
    let mut redis = Redis::start();
    redis.cli(&["SET", "old", "1"]);
    redis.cli(&["SAVE"]);
    redis.cli(&["SET", "new", "2"]);
    let pid = redis.pid();
    redis.kill();
    assert!(!process_is_there(pid));
    redis.restart();
    assert_eq!((redis.cli(&["GET", "old"]), redis.cli(&["GET", "new"])), ("1".to_owned(), String::new()));
    let folder = redis.folder().to_owned();
    drop(redis);
    assert!(!folder.exists());
}

#[test]
fn redis_can_be_a_cluster() {
    let mut redis = Redis::start_with(true);
    assert_eq!(redis.cli(&["SET", "key", "1"]), "OK");
    redis.restart();
    assert_eq!(redis.cli(&["SET", "key", "2"]), "OK");
}

#[test]
fn an_s3_store_has_a_key_of_its_own_and_leaves_nothing() {
    let (mut one, other) = (S3::start(), S3::start());
    assert_ne!(one.url(), other.url());
    assert_ne!(one.key(), other.key());
    let pid = find_process_in(one.folder());
    assert!(process_is_there(pid));
    one.kill();
    assert!(!process_is_there(pid));
    let folder = one.folder().to_owned();
    drop(one);
    assert!(!folder.exists());
    assert!(process_is_there(find_process_in(other.folder())), "the other one goes on");
}

/// The process whose working folder is this one.
fn find_process_in(folder: &Path) -> u32 {
    let processes = std::fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let works_there =
        |pid: &u32| Path::new(&format!("/proc/{pid}/cwd")).read_link().is_ok_and(|cwd| cwd == folder);
    ids.find(works_there).expect("a process works in the folder")
}

/// Not a test of its own: what the next test starts and kills with -9.
#[test]
fn helper_that_waits_to_be_killed() {
    if std::env::var_os("TEST_SERVERS_WAIT").is_none() {
        return;
    }
    let (mut postgres, redis) = (Postgres::start(), Redis::start());
    // A second life, so that two pieces of shared memory must be cleaned away.
    postgres.restart();
    println!();
    println!("servers {} {} {}", postgres.pid(), redis.pid(), postgres.folder().display());
    println!("servers {} {} {}", postgres.pid(), redis.pid(), redis.folder().display());
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn sigkill_of_the_test_leaves_nothing_behind() {
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_that_waits_to_be_killed", "--nocapture"])
        .env("TEST_SERVERS_WAIT", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(helper.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.filter(|line| line.starts_with("servers ")).take(2).collect();
    let words: Vec<&str> = told.iter().flat_map(|line| line.split(' ').skip(1)).collect();
    let [postgres, redis, folder, _, _, other_folder] = words[..] else { panic!("{told:?}") };
    let (postgres, redis): (u32, u32) = (postgres.parse().unwrap(), redis.parse().unwrap());
    assert!(process_is_there(postgres) && process_is_there(redis) && has_shared_memory_of(postgres));

    helper.kill().unwrap();
    helper.wait().unwrap();
    wait_until("the servers are gone", || !process_is_there(postgres) && !process_is_there(redis));
    for folder in [folder, other_folder] {
        wait_until("the folder is gone", || !Path::new(folder).exists());
    }
    wait_until("the shared memory is gone", || !has_shared_memory_of(postgres));
}
