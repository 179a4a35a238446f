//! The program's arguments, output and exit codes.

use crate::program::{Served, command, conformance, connect, frame};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

/// Runs to the end; exit code, stdout and stderr.
fn run(args: &[&str], stdin: &str) -> (i32, String, String) {
    let output = conformance()
        .args(args)
        .write_stdin(stdin)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let code = output.status.code().expect("an exit code");
    (code, text(output.stdout), text(output.stderr))
}

/// Runs with arguments that must be refused, before anything is printed; what is said about them.
fn refused(args: &[&str]) -> String {
    let (code, stdout, stderr) = run(args, "");
    assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

#[test]
fn wrong_arguments_are_refused_in_words_that_help() {
    for (args, said) in [
        (&["send", "localhost", "1"][..], "localhost:7060"),
        (&["send", "::1", "1"], "[::1]:7060"),
        (&["send", "http://a:1", "1"], "not a URL"),
        (&["send", "a:0", "1"], "1 to 65535"),
        (&["send", "127.0.0.1:1"], "<JSON>"),
        (&["send", "127.0.0.1:1", "hello"], r#"'"hello"'"#),
        (&["send", "127.0.0.1:1", "{a:1}"], "line 1, octet 2"),
        (&["send", "127.0.0.1:1", "1", "--timeout", "soon"], "1.5s"),
        (
            &["send", "127.0.0.1:1", "1", "--profile", "nope"],
            "chunk-count",
        ),
        (
            &["send", "127.0.0.1:1", "1", "--profile", "tutoral"],
            "tutorial, another",
        ),
        (&["causes", "play", "--fault", "no-limt"], "but no-limit"),
        (&["man", "chek"], "conformance man check"),
        (&["completions", "bsh"], "'bash'"),
        (&["watch", "localhost:7060"], "--exec"),
        (&["serve", "--max-frame", "1"], "--max-frame 60"),
        (&["serve", "--max-frame", "lots"], "64k"),
        (&["serve", "--frame-deadline", "0"], "never"),
        (&["serve", "--max-connections", "0"], "1.."),
        (&["serve", "--log", "a=b=c"], "--log"),
        (&["sevre"], "serve"),
        (&["profiles", "/dev/null"], "name"),
    ] {
        let stderr = refused(args);
        assert!(
            stderr.contains(said),
            "{args:?} does not say {said:?}: {stderr}"
        );
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let (code, stdout, stderr) = run(&["--help"], "");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("serve"));
    let (code, stdout, _) = run(&["--version"], "");
    let version = format!("conformance {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code, stdout), (0, version));
}

#[test]
fn send_prints_the_reply_to_each_request_in_order() {
    let server = Served::start(&[]);
    let target = server.addr.to_string();
    let args = ["send", &target, "{\"a\": 1.0}", "-", "\"last\""];
    let (code, stdout, stderr) = run(&args, "1\r\n\n[ ]\nnull");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "{\"a\": 1.0}\n1\n[ ]\nnull\n\"last\"\n");
}

#[test]
fn send_stops_at_a_line_that_is_no_json() {
    let server = Served::start(&[]);
    let (code, stdout, stderr) = run(&["send", &server.addr.to_string(), "-"], "1\nx\n2\n");
    assert_eq!((code, stdout.as_str()), (2, "1\n"));
    assert!(stderr.contains("line 2"), "{stderr}");
}

#[test]
fn send_says_why_no_reply_comes() {
    let vacant = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (code, _, stderr) = run(&["send", &vacant.to_string(), "1"], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("conformance serve --listen"), "{stderr}");

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = mute.local_addr().unwrap().to_string();
    let (code, _, stderr) = run(&["send", &target, "1", "--timeout", "50ms"], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("within 50ms"), "{stderr}");

    let server = Served::start(&["--profile", "chunk-count"]);
    let (code, _, stderr) = run(&["send", &server.addr.to_string(), "1"], "");
    assert_eq!(code, 3);
    assert!(stderr.contains("--profile"), "{stderr}");
}

/// A server that answers its first client's first request with these octets, then closes.
fn answering(octets: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 64]).unwrap();
        stream.write_all(&octets).unwrap();
    });
    target
}

#[test]
fn nothing_that_a_server_sends_reaches_the_terminal_as_it_is() {
    let target = answering(frame("[\"\u{9b}2J\u{202e}\",\r\n1]"));
    let (code, stdout, _) = run(&["send", &target, "1"], "");
    assert_eq!((code, stdout.as_str()), (0, "[\"\\u009b2J\\u202e\",  1]\n"));

    let target = answering(frame("\u{1b}[31mred"));
    let (code, _, stderr) = run(&["send", &target, "1"], "");
    assert_eq!(code, 3);
    assert!(
        stderr.contains("\\x1b[31mred") && !stderr.contains('\u{1b}'),
        "{stderr}"
    );

    let target = answering(frame("\u{1b}[31mred"));
    let (code, _, stderr) = run(&["chat", &target], "1\n");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("\\x1b[31mred") && !stderr.contains('\u{1b}'),
        "{stderr}"
    );
}

#[test]
fn chat_sends_lines_and_waits_for_what_is_owed() {
    let server = Served::start(&["--reply", "tutorial"]);
    let target = server.addr.to_string();
    let (code, stdout, stderr) = run(&["chat", &target], "hola \"tú\"\n{\"a\": [null]}\n\nfin");
    assert_eq!((code, stderr.as_str()), (0, ""));
    let said = |text: &str| format!("\"Respuesta asociada al mensaje {text}\"\n");
    let expected = [r#"hola \"t\u00fa\""#, "{'a': [None]}", "", "fin"]
        .map(said)
        .concat();
    assert_eq!(stdout, expected);
}

#[test]
fn chat_carries_more_than_any_buffer_holds() {
    let server = Served::start(&[]);
    let lines: String = (0..30_000).map(|i| format!("line {i}\n")).collect();
    let (code, stdout, _) = run(&["chat", &server.addr.to_string()], &lines);
    assert_eq!(code, 0);
    let expected: String = (0..30_000).map(|i| format!("\"line {i}\"\n")).collect();
    assert!(stdout == expected, "{} octets", stdout.len());
}

#[test]
fn chat_ends_when_the_server_goes_though_the_terminal_is_open() {
    let target = answering(frame("1"));
    let mut child = command()
        .args(["chat", &target])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"1\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"1\n");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("closed the connection"), "{stderr}");
    drop(stdin);
}

#[test]
fn chat_says_so_when_a_reply_is_missing() {
    let (code, _, stderr) = run(&["chat", &answering(vec![])], "1\n");
    assert_eq!(code, 3);
    assert!(stderr.contains("without a reply"), "{stderr}");
}

#[test]
fn a_closed_pipe_ends_the_program_without_a_word() {
    for args in [
        &["profiles", "--toml"][..],
        &["list"],
        &["explain", "no-limit"],
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let output = command()
            .args(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn profiles_print_files_that_serve_reads() {
    let (code, toml, _) = run(&["profiles", "chunk-count", "--toml"], "");
    assert_eq!(code, 0);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(toml.replace("chunk-count", "mine").as_bytes())
        .unwrap();
    let path = file.path().to_str().unwrap();
    let server = Served::start(&["--profile", path]);
    let target = server.addr.to_string();
    let (code, stdout, _) = run(&["send", &target, "1", "--profile", "chunk-count"], "");
    assert_eq!((code, stdout.as_str()), (0, "1\n"));
}

#[test]
fn serve_takes_the_limit_from_its_options() {
    let server = Served::start(&["--max-frame", "120"]);
    let mut client = connect(server.addr);
    client.write_all(&180_u32.to_be_bytes()).unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    let target = server.addr.to_string();
    let body = format!("\"{}\"", "x".repeat(118));
    let (code, stdout, _) = run(&["send", &target, &body], "");
    assert_eq!((code, stdout.trim_end()), (0, body.as_str()));
}

/// Of what is measured in another process than the server's, nothing is true of the server.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_does_not_listen_there_is_doubted() {
    let server = Served::start(&[]);
    let (target, own) = (server.addr.to_string(), std::process::id().to_string());
    let told = |pid: &str| {
        run(
            &["check", "--run", "one-reply/single", "--pid", pid, &target],
            "",
        )
        .2
    };
    let doubt = format!(
        "another process than {own} listens at port {}",
        server.addr.port()
    );
    assert!(told(&own).contains(&doubt), "{}", told(&own));
    assert_eq!(told(&server.pid().to_string()), "");
}

#[test]
fn an_address_in_use_is_said_to_be() {
    let server = Served::start(&[]);
    let (code, stdout, stderr) = run(&["serve", "--listen", &server.addr.to_string()], "");
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(stderr.contains("port 0"), "{stderr}");
}
