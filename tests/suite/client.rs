//! The client library against servers good and bad.

use crate::program::{GUARD, frame, read_to_fin};
use framespec::client::{Client, ClientError};
use framespec::message::Message;
use framespec::profile::{Payload, Profile};
use framespec::server::{Background, Echo, Settings, Tutorial};
use framespec::wire::{DecodeErrorKind, Place};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use tokio::time::timeout;

fn text(text: &str) -> Message {
    Message::from_text(Payload::Json, text)
}

/// Runs to the end, or panics where something hangs.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { timeout(GUARD, future).await })
        .expect("it hangs")
}

/// A server that does just that to its first client.
fn once(server: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let serve = move || server(listener.accept().unwrap().0);
    (addr, thread::spawn(serve))
}

/// What a client makes of a server that reads one request and answers with these octets and a FIN: of
/// the reply, and of what follows it.
fn request_answered(
    octets: Vec<u8>,
) -> (
    Result<Message, ClientError>,
    Result<Option<Message>, ClientError>,
) {
    let (addr, server) = once(move |mut stream| {
        stream.read_exact(&mut [0; 64]).unwrap();
        stream.write_all(&octets).unwrap();
    });
    let answered = run(async {
        let mut client = Client::connect(addr, &Profile::tutorial()).await.unwrap();
        let reply = client.request(&text("?")).await;
        let (_, mut receiver) = client.split();
        (reply, receiver.receive().await)
    });
    server.join().unwrap();
    answered
}

#[test]
fn requests_get_their_replies_in_either_format() {
    for profile in [Profile::tutorial(), Profile::chunk_count()] {
        let settings = Settings::default();
        let server = Background::start("127.0.0.1:0", profile.clone(), settings, Tutorial).unwrap();
        run(async {
            let mut client = Client::connect(server.addr(), &profile).await.unwrap();
            for said in ["", "ñandú", "x".repeat(10_000).as_str()] {
                let reply = client.request(&text(said)).await.unwrap();
                assert_eq!(
                    reply,
                    text_as_ascii(&format!("Respuesta asociada al mensaje {said}"))
                );
            }
        });
    }
}

fn text_as_ascii(said: &str) -> Message {
    let message = text(said);
    let escaped = message
        .text()
        .unwrap()
        .replace('ñ', "\\u00f1")
        .replace('ú', "\\u00fa");
    Message::read(Payload::Json, escaped.into()).unwrap()
}

#[test]
fn both_halves_work_at_the_same_time_and_the_end_is_orderly() {
    const MESSAGES: usize = 20_000;
    let server = Background::start(
        "127.0.0.1:0",
        Profile::tutorial(),
        Settings::default(),
        Echo,
    )
    .unwrap();
    run(async {
        let client = Client::connect(server.addr(), &Profile::tutorial())
            .await
            .unwrap();
        let (mut sender, mut receiver) = client.split();
        let send = async {
            for i in 0..MESSAGES {
                sender.send(&text(&i.to_string())).await.unwrap();
            }
            sender.finish().await.unwrap();
        };
        let receive = async {
            let mut received = 0;
            while let Some(message) = receiver.receive().await.unwrap() {
                assert_eq!(message, text(&received.to_string()));
                received += 1;
            }
            received
        };
        assert_eq!(tokio::join!(send, receive).1, MESSAGES);
    });
}

#[test]
fn what_is_received_survives_being_cancelled() {
    let (addr, server) = once(|mut stream| {
        for octet in frame("\"in pieces\"") {
            stream.write_all(&[octet]).unwrap();
            // It waits for the client to have cancelled once more.
            stream.read_exact(&mut [0; 64]).unwrap();
        }
    });
    run(async {
        let client = Client::connect(addr, &Profile::tutorial()).await.unwrap();
        let (mut sender, mut receiver) = client.split();
        let mut cancelled = 0;
        let message = loop {
            tokio::select! {
                biased;
                message = receiver.receive() => break message.unwrap().unwrap(),
                () = tokio::task::yield_now() => cancelled += 1,
            }
            if cancelled <= 64 {
                sender.send(&text("go on")).await.unwrap();
            }
        };
        assert_eq!(message, text("in pieces"));
        assert!(cancelled >= 1);
        while cancelled < 64 {
            sender.send(&text("go on")).await.unwrap();
            cancelled += 1;
        }
    });
    server.join().unwrap();
}

#[test]
fn a_bad_reply_is_told_apart_from_none() {
    let (closed, _) = request_answered(vec![]);
    assert!(matches!(closed, Err(ClientError::Closed)), "{closed:?}");

    let (cut, _) = request_answered(frame("1")[..4].to_vec());
    let place = Place::Boundary;
    assert!(
        matches!(cut, Err(ClientError::Decode(e)) if e.kind == DecodeErrorKind::Truncated { place }),
        "{cut:?}"
    );

    let (huge, _) = request_answered(b"\xff\xff\xff\xffwhatever".to_vec());
    assert!(
        matches!(huge, Err(ClientError::Decode(e)) if e.kind == DecodeErrorKind::OverLimit),
        "{huge:?}"
    );
}

#[test]
fn after_a_reply_that_is_no_message_the_next_can_be_received() {
    let (first, next) = request_answered([frame("nonsense"), frame("2")].concat());
    match first {
        Err(ClientError::Undecodable { payload, .. }) => assert_eq!(payload, "nonsense"),
        other => panic!("{other:?}"),
    }
    assert_eq!(next.unwrap().unwrap().text(), Some("2"));
    let (first, end) = request_answered(frame("1"));
    assert_eq!(first.unwrap().text(), Some("1"));
    assert_eq!(end.unwrap(), None);
}

#[test]
fn a_message_that_fits_into_no_frame_is_not_sent_at_all() {
    let (addr, server) = once(|mut stream| assert_eq!(read_to_fin(&mut stream), b""));
    run(async {
        let profile = Profile::tutorial().with_max_body(60).unwrap();
        let mut client = Client::connect(addr, &profile).await.unwrap();
        let refused = client.request(&text(&"x".repeat(60))).await;
        assert!(
            matches!(refused, Err(ClientError::Encode(_))),
            "{refused:?}"
        );
    });
    server.join().unwrap();
}
