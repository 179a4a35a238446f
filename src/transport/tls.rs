//! TLS around a TCP connection, seen from either side.

use socket2::{SockRef, Socket};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::{Accept, TlsAcceptor, TlsConnector, TlsStream};

/// Which servers a client takes for what they say they are.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Trust {
    /// Those that the system vouches for.
    #[default]
    System,
    /// Those that have their certificate from one of these, in PEM.
    Signers(Vec<u8>),
    /// Any.
    Anybody,
    /// The one that has this certificate.
    Only(CertificateDer<'static>),
}

/// A client's side of TLS: whom it trusts, and whom it asks for.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsClient").field(&self.name).finish()
    }
}

/// What a server shows for itself: its certificate, with those of its signers, to which it has the key.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity")
            .field(&self.fingerprint())
            .finish()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}

impl TlsClient {
    /// A client that asks for the server of that name, or of that address.
    ///
    /// # Errors
    /// If that is no name, or there is nobody to be trusted.
    pub fn new(trust: &Trust, name: &str) -> io::Result<Self> {
        let name = match name.parse::<IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => ServerName::try_from(name.to_owned()).map_err(invalid)?,
        };
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?;
        let config = match Roots::of(trust)? {
            Roots::Store(store) => config.with_root_certificates(store),
            Roots::Given(given) => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(given)),
        };
        Ok(Self {
            config: Arc::new(config.with_no_client_auth()),
            name,
        })
    }

    /// Agrees with the server behind that connection.
    pub(super) async fn connect(&self, stream: TcpStream) -> io::Result<Tls> {
        let socket = SockRef::from(&stream).try_clone()?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(self.name.clone(), stream).await?;
        Ok(Tls::new(State::Agreed(Box::new(stream.into())), socket))
    }
}

enum Roots {
    Store(RootCertStore),
    Given(Given),
}

impl Roots {
    fn of(trust: &Trust) -> io::Result<Self> {
        let given = |only| {
            Self::Given(Given {
                only,
                provider: provider(),
            })
        };
        Ok(match trust {
            Trust::System => Self::Store(of_the_system()?),
            Trust::Signers(pem) => Self::Store(signers(pem)?),
            Trust::Anybody => given(None),
            Trust::Only(certificate) => given(Some(certificate.clone())),
        })
    }
}

fn of_the_system() -> io::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        return Err(io::Error::other(
            "the system knows nobody who signs certificates",
        ));
    }
    Ok(store)
}

fn signers(pem: &[u8]) -> io::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem)? {
        store.add(certificate).map_err(invalid)?;
    }
    Ok(store)
}

fn certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(invalid)?;
    if found.is_empty() {
        return Err(invalid("there is no certificate in it: it has to be PEM"));
    }
    Ok(found)
}

/// Takes any certificate, or only one.
#[derive(Debug)]
struct Given {
    only: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.only {
            Some(only) if only != shown => Err(CertificateError::UnknownIssuer.into()),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}

impl Identity {
    /// From a certificate, behind which those of its signers may stand, and its key, both in PEM.
    ///
    /// # Errors
    /// If they are not, or the key is not that of the certificate.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> io::Result<Self> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| invalid("there is no private key in it: it has to be PEM"))?;
        Self::new(chain, key)
    }

    /// A new one, signed by itself, for a server on this machine.
    ///
    /// # Errors
    /// If none can be made.
    pub fn made() -> io::Result<Self> {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(invalid)?;
        Self::new(vec![made.cert.der().clone()], key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> io::Result<Self> {
        let certificate = chain.first().cloned();
        let certificate = certificate.ok_or_else(|| invalid("there is no certificate"))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(invalid)?;
        Ok(Self {
            config: Arc::new(config),
            certificate,
        })
    }

    /// The SHA-256 of its certificate, as it is usually written.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, &self.certificate);
        let octets = digest.as_ref().iter();
        let octets: Vec<String> = octets.map(|octet| format!("{octet:02X}")).collect();
        octets.join(":")
    }

    /// A client that trusts this server and no other.
    pub(super) fn client(&self) -> io::Result<TlsClient> {
        TlsClient::new(&Trust::Only(self.certificate.clone()), "localhost")
    }

    /// The stream of a client, with which it is agreed when it is first used.
    pub(super) fn stream(&self, stream: TcpStream) -> io::Result<Tls> {
        let socket = SockRef::from(&stream).try_clone()?;
        let agreeing = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        Ok(Tls::new(State::Agreeing(Box::new(agreeing)), socket))
    }
}

/// A stream in TLS.
pub(super) struct Tls {
    inner: Mutex<Inner>,
    /// The same socket, for what is asked of it beside.
    socket: Socket,
}

struct Inner {
    state: State,
    /// Octets that are under way: they are told as taken when the system has all of them.
    taken: usize,
}

enum State {
    Agreeing(Box<Accept<TcpStream>>),
    Agreed(Box<TlsStream<TcpStream>>),
    Failed,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl State {
    fn poll_agreed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Pin<&mut TlsStream<TcpStream>>>> {
        if let Self::Agreeing(agreeing) = self {
            *self = match ready!(Pin::new(agreeing).poll(cx)) {
                Ok(stream) => Self::Agreed(Box::new(stream.into())),
                Err(error) => {
                    *self = Self::Failed;
                    return Poll::Ready(Err(error));
                }
            };
        }
        Poll::Ready(match self {
            Self::Agreed(stream) => Ok(Pin::new(stream)),
            Self::Agreeing(_) | Self::Failed => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Tls {
    fn new(state: State, socket: Socket) -> Self {
        let inner = Mutex::new(Inner { state, taken: 0 });
        Self { inner, socket }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.socket)
    }

    /// A peer that ends its side of the connection without saying so in TLS has ended it all the same.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let stream = ready!(inner.state.poll_agreed(cx))?;
        let mut buffer = ReadBuf::new(buffer);
        Poll::Ready(match ready!(stream.poll_read(cx, &mut buffer)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            read => read.map(|()| buffer.filled().len()),
        })
    }

    /// Whoever waits for this in vain is to come back with the same octets.
    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.inner();
        let mut stream = ready!(inner.state.poll_agreed(cx))?;
        if inner.taken == 0 {
            inner.taken = ready!(stream.as_mut().poll_write(cx, octets))?;
        }
        ready!(stream.poll_flush(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut inner.taken)))
    }

    pub(super) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        let stream = ready!(inner.state.poll_agreed(cx))?;
        stream.poll_shutdown(cx)
    }
}
