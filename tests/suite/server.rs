//! The server against clients that misbehave, and against the system when it is short of something.

use crate::program::{
    GUARD, Served, command, connect, frame, payloads, read_to_fin, receive, reset, round_trip,
    say_skipped,
};
use framespec::message::Message;
use framespec::profile::Profile;
use framespec::server::{Background, Echo, Handler, Settings};
use framespec::session::{Limits, Reply};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn start(settings: Settings, handler: impl Handler) -> Background {
    Background::start("127.0.0.1:0", Profile::tutorial(), settings, handler).unwrap()
}

fn echo() -> Background {
    start(Settings::default(), Echo)
}

fn with_limits(limits: Limits) -> Background {
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    start(settings, Echo)
}

/// A connection whose buffers hold little, so that what is not read is soon felt by the server.
fn connect_narrow(addr: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(16 << 10).unwrap();
    socket.connect(&addr.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
}

/// Sends frames and reads none, until the server has taken more than it holds back by default, and then
/// nothing for many round trips of a canary, by which it is paced; returns how many octets went.
fn send_until_stuck(stream: &mut TcpStream, canary: &mut TcpStream) -> usize {
    const PATIENCE: usize = 40;
    const LEAST: usize = 256 << 10;
    const MOST: usize = 64 << 20;
    let batch = frame("1").repeat(256);
    let mut sent = 0;
    let mut refused = 0;
    stream.set_nonblocking(true).unwrap();
    while sent < LEAST || refused < PATIENCE {
        assert!(sent < MOST, "all is taken from a client that does not read");
        match stream.write(&batch[sent % 64..]) {
            Ok(octets) => {
                sent += octets;
                refused = 0;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                refused += 1;
                round_trip(canary, "\"canary\"");
            }
            Err(error) => panic!("after {sent} octets: {error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    sent
}

/// Lets this process have as many sockets as the test wants; never takes any away.
fn want_descriptors(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }
}

#[cfg(target_os = "linux")]
fn resident_octets(pid: u32) -> u64 {
    let process = procfs::process::Process::new(pid.try_into().unwrap()).unwrap();
    process.status().unwrap().vmhwm.unwrap() * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_thousand_at_once_are_served_while_400_of_them_stall() {
    want_descriptors(4096);
    let server = Served::start(&[]);
    let mut canary = server.connect();
    let mut mute: Vec<TcpStream> = (0..200).map(|_| connect_narrow(server.addr)).collect();
    let mut stalled: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    let mut served: Vec<TcpStream> = (0..600).map(|_| server.connect()).collect();

    for stream in &mut mute {
        send_until_stuck(stream, &mut canary);
    }
    for stream in &mut stalled {
        stream.write_all(&[0, 0]).unwrap();
    }
    for round in 0..3 {
        let text = |i: usize| format!("\"{round} for {i}\"");
        for (i, stream) in served.iter_mut().enumerate() {
            stream.write_all(&frame(text(i))).unwrap();
        }
        for (i, stream) in served.iter_mut().enumerate() {
            assert_eq!(receive(stream), text(i));
        }
    }
    for (i, stream) in stalled.iter_mut().enumerate() {
        let text = format!("\"late {i}\"");
        stream.write_all(&frame(&text)[2..]).unwrap();
        assert_eq!(receive(stream), text);
    }
    // 256 KiB of replies for each that does not read, and what a read brings; the rest is the program.
    let bound = (200 * 450 + 1000 * 16 + 20_000) << 10;
    let resident = resident_octets(server.pid());
    assert!(resident < bound, "{resident} octets, bound {bound}");
}

#[test]
fn a_client_that_reads_late_gets_all_it_asked_for() {
    let server = echo();
    let mut canary = connect(server.addr());
    let mut stream = connect_narrow(server.addr());
    let sent = send_until_stuck(&mut stream, &mut canary);
    stream.shutdown(Shutdown::Write).unwrap();
    let received = read_to_fin(&mut stream);
    assert_eq!(received.len(), sent / 64 * 64);
    assert!(payloads(&received).iter().all(|payload| payload == "1"));
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    let deadline = Duration::from_millis(300);
    let server = with_limits(Limits {
        write_deadline: Some(deadline),
        ..Limits::default()
    });
    let mut canary = connect(server.addr());
    let mut stream = connect_narrow(server.addr());
    let start = Instant::now();
    stream.set_nonblocking(true).unwrap();
    let request = frame("1");
    let mut sent = 0;
    let error = loop {
        match stream.write(&request[sent % 64..]) {
            Ok(octets) => sent += octets,
            Err(error) if error.kind() == ErrorKind::WouldBlock => round_trip(&mut canary, "1"),
            Err(error) => break error.kind(),
        }
        assert!(start.elapsed() < GUARD);
    };
    assert!(
        matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{error}"
    );
    assert!(start.elapsed() >= deadline);
    round_trip(&mut canary, "\"still here\"");
}

#[test]
fn a_frame_that_drips_is_given_up_however_often_an_octet_comes() {
    let deadline = Duration::from_millis(300);
    let server = with_limits(Limits {
        frame_deadline: Some(deadline),
        ..Limits::default()
    });
    let mut canary = connect(server.addr());
    let mut stream = connect(server.addr());
    // A body of a mebibyte would take minutes at this pace.
    stream.write_all(&1_048_560_u32.to_be_bytes()).unwrap();
    let start = Instant::now();
    stream.set_nonblocking(true).unwrap();
    let ended = loop {
        // Once the server has closed, this may fail, and what is read tells the rest.
        let _ = stream.write(b" ");
        match stream.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => round_trip(&mut canary, "1"),
            ended => break ended,
        }
        assert!(start.elapsed() < GUARD);
    };
    assert_eq!(ended.unwrap(), 0, "a FIN and no reply");
    assert!(start.elapsed() >= deadline);
}

#[test]
fn a_reset_at_any_point_harms_nobody_else() {
    let server = echo();
    let mut canary = connect(server.addr());
    let stream = frame("1").repeat(2);
    for cut in 0..=stream.len() {
        let mut client = connect(server.addr());
        client.write_all(&stream[..cut]).unwrap();
        reset(client);
        round_trip(&mut canary, &format!("\"after {cut}\""));
    }
}

#[test]
fn replies_survive_the_close_that_a_malformed_header_brings() {
    let server = echo();
    for extra in [0, 10, 200_000] {
        let mut client = connect(server.addr());
        let mut octets = frame("1");
        octets.extend(b"\xff\xff\xff\xff");
        octets.resize(octets.len() + extra, b'x');
        client.write_all(&octets).unwrap();
        assert_eq!(payloads(&read_to_fin(&mut client)), ["1"]);
    }
}

#[test]
fn a_fin_right_behind_requests_costs_no_reply() {
    let server = echo();
    let mut client = connect(server.addr());
    client.write_all(&frame("1").repeat(1000)).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_fin(&mut client).len(), 64_000);
}

#[test]
fn a_fin_inside_a_frame_brings_a_fin_and_no_reply() {
    let server = echo();
    let whole = frame("1");
    for cut in [1, 3, 4, 5, 63] {
        let mut client = connect(server.addr());
        client.write_all(&whole[..cut]).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_fin(&mut client), b"", "cut at {cut}");
    }
}

#[test]
fn a_client_too_many_is_closed_and_later_there_is_room_again() {
    let server = start(
        Settings {
            max_connections: 2,
            ..Settings::default()
        },
        Echo,
    );
    let mut clients = [connect(server.addr()), connect(server.addr())];
    for client in &mut clients {
        round_trip(client, "1");
    }
    assert_eq!(connect(server.addr()).read(&mut [0; 1]).unwrap(), 0);
    let [gone, mut stays] = clients;
    drop(gone);
    let start = Instant::now();
    loop {
        // Until the server has seen the one go, another is still one too many.
        let mut client = connect(server.addr());
        let _ = client.write_all(&frame("2"));
        if client.read_exact(&mut [0; 64]).is_ok() {
            break;
        }
        assert!(start.elapsed() < GUARD);
    }
    round_trip(&mut stays, "3");
}

#[test]
fn a_handler_that_panics_takes_only_its_own_connection_along() {
    let server = start(Settings::default(), |message: Message| {
        assert_ne!(message.text(), Some("13"), "on purpose");
        Reply::from(message)
    });
    let mut other = connect(server.addr());
    let mut client = connect(server.addr());
    client.write_all(&frame("13")).unwrap();
    match client.read(&mut [0; 1]) {
        Ok(octets) => assert_eq!(octets, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    round_trip(&mut other, "14");
}

#[test]
fn a_client_of_either_family_is_served_on_the_unspecified_ipv6_address() {
    if let Err(error) = TcpListener::bind("[::]:0") {
        return say_skipped(&format!("there is no IPv6 ({error})"));
    }
    let settings = Settings::default();
    let server = Background::start("[::]:0", Profile::tutorial(), settings, Echo).unwrap();
    let port = server.addr().port();
    for host in ["[::1]", "127.0.0.1"] {
        let addr = format!("{host}:{port}").parse().unwrap();
        round_trip(&mut connect(addr), "1");
    }
}

#[test]
fn going_down_does_not_wait_for_idle_clients_and_pays_what_it_owes() {
    let server = Served::start(&[]);
    let mut idle = server.connect();
    let mut inside = server.connect();
    let mut owed = server.connect();
    round_trip(&mut idle, "1");
    round_trip(&mut inside, "1");
    round_trip(&mut owed, "1");
    inside.write_all(&frame("2")[..30]).unwrap();
    owed.write_all(&frame("2").repeat(1000)).unwrap();
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(read_to_fin(&mut idle), b"");
    assert_eq!(read_to_fin(&mut inside), b"");
    assert_eq!(payloads(&read_to_fin(&mut owed)).len(), 1000);
    drop((idle, inside, owed));
    let addr = server.addr;
    let (status, rest) = server.wait();
    assert!(status.success(), "{status}");
    assert_eq!(rest, "");
    assert!(TcpStream::connect_timeout(&addr, GUARD).is_err());
}

#[test]
fn going_down_cuts_off_what_does_not_end() {
    let server = Served::start(&["--drain", "100ms"]);
    let mut canary = server.connect();
    let mut mute = connect_narrow(server.addr);
    send_until_stuck(&mut mute, &mut canary);
    server.signal(rustix::process::Signal::INT);
    let (status, _) = server.wait();
    assert!(status.success(), "{status}");
}

#[test]
fn going_down_is_not_put_off_by_a_client_that_never_stops() {
    let server = Served::start(&["--drain", "55s"]);
    let mut client = server.connect();
    let mut reader = client.try_clone().unwrap();
    let flood = thread::spawn(move || {
        let requests = frame("1").repeat(100);
        while client.write_all(&requests).is_ok() {}
    });
    let (begun, has_begun) = mpsc::channel();
    let drain = thread::spawn(move || {
        reader.read_exact(&mut [0; 64 << 10]).unwrap();
        begun.send(()).unwrap();
        let mut buffer = vec![0; 64 << 10];
        while matches!(reader.read(&mut buffer), Ok(octets) if octets > 0) {}
        // Both directions, so that the flood ends too.
        let _ = reader.shutdown(Shutdown::Both);
    });
    has_begun.recv().unwrap();
    let start = Instant::now();
    server.signal(rustix::process::Signal::TERM);
    let (status, _) = server.wait();
    assert!(status.success(), "{status}");
    assert!(start.elapsed() < Duration::from_secs(50), "it was cut off");
    flood.join().unwrap();
    drain.join().unwrap();
}

#[test]
#[cfg(unix)]
fn without_descriptors_it_serves_those_it_has_and_then_the_others() {
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -n 24; exec \"$0\" serve --listen 127.0.0.1:0"])
        .arg(command().get_program());
    let server = Served::spawn(limited);
    let mut clients: Vec<TcpStream> = (0..60).map(|_| server.connect()).collect();
    for (i, client) in clients.iter_mut().enumerate() {
        client.write_all(&frame(i.to_string())).unwrap();
    }
    // Each that goes makes room for one that waits.
    for (i, mut client) in clients.into_iter().enumerate() {
        assert_eq!(receive(&mut client), i.to_string());
    }
}
