use super::*;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn lines_of_both_streams_are_handed_on() {
    let seen = Mutex::new(Vec::new());
    run_with_lines(&mut shell("echo one; echo two >&2"), &|line| seen.lock().unwrap().push(line.to_owned()))
        .unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    assert_eq!(seen, ["one", "two"]);
}

#[test]
fn a_failure_carries_the_output_and_the_command() {
    let error = run_with_lines(&mut shell("echo the reason; exit 3"), &|_| {}).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("the reason") && text.contains("exit status: 3"), "{text}");
}

#[test]
fn a_service_is_asked_to_stop_and_waited_for() {
    let folder = std::env::temp_dir().join(format!("xtask-service-{}", std::process::id()));
    let _old = std::fs::remove_file(&folder);
    let script = format!(
        "trap 'echo drained > {0}.end; exit 7' TERM; echo > {0}; while :; do sleep 0.05; done",
        folder.display()
    );
    let mut service = Service::start("the service", &mut shell(&script)).unwrap();
    while !folder.exists() {
        thread::yield_now();
    }
    let status = service.stop(|| false).unwrap();
    assert_eq!(status.code(), Some(7));
    let end = folder.with_extension("end");
    assert_eq!(std::fs::read_to_string(&end).unwrap(), "drained\n");
    std::fs::remove_file(folder).unwrap();
    std::fs::remove_file(end).unwrap();
}

#[test]
fn a_dropped_service_leaves_no_process() {
    let service = Service::start("the service", &mut shell("sleep 1000 & wait")).unwrap();
    let id = service.child.id();
    drop(service);
    assert!(!Path::new(&format!("/proc/{id}")).exists(), "process {id} is still there");
}

#[test]
fn a_stubborn_service_is_killed_when_the_person_insists() {
    let mark = std::env::temp_dir().join(format!("xtask-stubborn-{}", std::process::id()));
    let _old = std::fs::remove_file(&mark);
    let script = format!("trap '' TERM; echo > {}; while :; do sleep 0.05; done", mark.display());
    let mut service = Service::start("the service", &mut shell(&script)).unwrap();
    while !mark.exists() {
        thread::yield_now();
    }
    let status = service.stop(|| true).unwrap();
    assert!(!status.success() && status.code().is_none(), "ended by a signal, not by itself: {status}");
    std::fs::remove_file(mark).unwrap();
}
