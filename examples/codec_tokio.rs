//! The codec in a program built on `tokio_util::codec`, and a server to talk to: requests out, replies in.

use framespec::profile::Profile;
use framespec::server::{Background, Echo, Settings};
use framespec::wire::Codec;
use futures_util::{SinkExt as _, StreamExt as _};
use std::error::Error;
use tokio::net::TcpStream;
use tokio_util::codec::Framed;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let profile = Profile::u32_be();
    let server = Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo)?;

    let stream = TcpStream::connect(server.addr()).await?;
    let mut framed = Framed::new(stream, Codec::new(&profile));
    framed.send("Margot").await?;
    let reply = framed.next().await.ok_or("the server has closed")??;
    assert_eq!(reply.payload(), b"Margot");
    Ok(())
}
