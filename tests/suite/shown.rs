//! `--open`: the report in a browser, which is here a plain client of HTTP.

use crate::program::{GUARD, Served, command, connect};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

/// A run of one case with `--open`, and no browser but what is named.
fn shown(args: &[&str], browser: &str) -> Command {
    let mut command = command();
    command.args(["check", "--open"]).args(args);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env("BROWSER", browser).stdout(Stdio::null());
    command
}

/// A run that has begun, and where its page is.
fn begun(mut command: Command) -> (Child, BufReader<ChildStderr>, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let url = line.trim_end().split(": ").nth(1).unwrap().to_owned();
    (child, told, url)
}

/// What the page at that address is told.
fn events(url: &str) -> BufReader<TcpStream> {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = connect(host.parse().unwrap());
    write!(stream, "GET /{path}events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    BufReader::new(stream)
}

/// Reads on until this has been told.
fn read_until(events: &mut BufReader<TcpStream>, is: &str) -> String {
    let told = format!("data: {{\"is\":\"{is}\"");
    loop {
        let mut line = String::new();
        assert_ne!(events.read_line(&mut line).unwrap(), 0, "never told: {is}");
        if line.starts_with(&told) {
            return line;
        }
    }
}

/// The server answers nothing before the page has been told of the run, and is gone from then on.
#[test]
fn a_run_is_shown_while_it_goes_on() {
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let target = server.local_addr().unwrap().to_string();
    let args = ["--run", "one-reply/single", &target];
    let (mut child, mut told, url) = begun(shown(&args, ""));
    let mut page = events(&url);
    let start = read_until(&mut page, "start");
    assert!(start.contains(&target), "{start}");
    let (connection, _) = server.accept().unwrap();
    drop(server);
    drop(connection);
    let end = read_until(&mut page, "page");
    assert!(end.contains("Broken off"), "{end}");
    page.read_to_string(&mut String::new()).unwrap();
    told.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_run_that_nobody_looks_at_ends_by_itself_as_it_would() {
    let broken = Served::start(&["--fault", "header-in-one-read"]);
    let broken = broken.addr.to_string();
    for (args, code) in [
        (vec!["--run", "one-reply/single"], 0),
        (vec!["--run", "reassembly/header-in-two", &broken], 1),
    ] {
        let mut command = assert_cmd::Command::from_std(shown(&args, ""));
        let output = command.timeout(GUARD).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(
            told.contains("the report, as it comes: http://127.0.0.1:"),
            "{told}"
        );
        assert!(told.contains("no browser is started: "), "{told}");
    }
}

/// The run is over long before the browser comes, which the test is when the address has been handed to it.
#[test]
#[cfg(unix)]
fn the_browser_is_given_the_address_and_the_time_to_come() {
    let folder = tempfile::TempDir::new().unwrap();
    let pipe = folder.path().join("address");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let browser = format!("sh -c 'echo $0 >{}'", pipe.display());
    let (mut child, _told, url) = begun(shown(&["--run", "one-reply/single"], &browser));
    let address = std::fs::read_to_string(&pipe).unwrap();
    assert_eq!(address.trim_end(), url);
    let mut page = events(&url);
    read_until(&mut page, "page");
    read_until(&mut page, "bye");
    drop(page);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
