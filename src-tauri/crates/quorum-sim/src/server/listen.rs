//! The listener: accepts on loopback while online, refuses connections while offline, and cuts them when it goes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::exchange::exchange;
use crate::shared::Shared;

/// What the listener is asked to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Want {
    Online,
    Offline,
    Stopped,
}

pub(crate) async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Runs until stopped. `is` follows what has been done of `want`.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    first: TcpListener,
    port: u16,
    mut want: watch::Receiver<Want>,
    is: watch::Sender<Want>,
) {
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        let wanted = *want.borrow_and_update();
        match wanted {
            Want::Stopped => break,
            Want::Offline => {
                listener = None;
                connections.shutdown().await;
                is.send_replace(Want::Offline);
                if want.changed().await.is_err() {
                    break;
                }
                continue;
            }
            Want::Online => {}
        }
        let open = match listener.take() {
            Some(open) => open,
            None => match bind(port).await {
                Ok(open) => open,
                Err(error) => {
                    tracing::error!(%error, port, "the simulator cannot listen again");
                    break;
                }
            },
        };
        is.send_replace(Want::Online);
        loop {
            tokio::select! {
                accepted = open.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(converse(Arc::clone(&shared), stream));
                    }
                    Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
                },
                changed = want.changed() => {
                    // A closed channel is a dropped simulator.
                    if changed.is_err() {
                        connections.shutdown().await;
                        return;
                    }
                    break;
                }
                Some(_) = connections.join_next() => {}
            }
        }
        if *want.borrow() == Want::Online {
            listener = Some(open);
        }
    }
    connections.shutdown().await;
    is.send_replace(Want::Stopped);
}

async fn converse(shared: Arc<Shared>, stream: TcpStream) {
    let reset = Arc::new(AtomicBool::new(false));
    let line = Line { stream, reset: Arc::clone(&reset) };
    let service = service_fn(move |request: Request<Incoming>| {
        exchange(Arc::clone(&shared), request.map(Body::new), Arc::clone(&reset))
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(line), service).await;
    // A closed or cut connection is either the client's will or a fault of the scenario.
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A connection that can end with a TCP reset instead of an orderly close.
struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed)
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::warn!(%error, "a connection closes in order although a reset was asked for");
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The service's error type where a connection is to close without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the scenario closes this connection without an answer")]
pub(crate) struct NoAnswer;
