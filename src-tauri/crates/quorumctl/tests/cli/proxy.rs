//! Between the program and a server: passes every piece of data on, counts them, and kills the program at one of them.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Child,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Whether the piece still arrives.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    Before,
    After,
}

#[derive(Default)]
struct Shared {
    pieces: AtomicU64,
    /// The program, and when it dies.
    doomed: Mutex<Option<(Child, u64, Moment)>>,
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let of_threads = Arc::clone(&shared);
        thread::spawn(move || {
            for program in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (to_program, to_server) =
                    (program.try_clone().expect("a clone"), server.try_clone().expect("a clone"));
                for (from, to) in [(program, to_server), (server, to_program)] {
                    let shared = Arc::clone(&of_threads);
                    thread::spawn(move || pass(from, to, &shared));
                }
            }
        });
        Self { port, shared }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub fn pieces(&self) -> u64 {
        self.shared.pieces.load(Ordering::SeqCst)
    }

    /// Lets the program run until it ends or is killed at that piece. True: it was killed.
    pub fn kill_at(&self, mut child: Child, piece: u64, moment: Moment) -> bool {
        let mut stdout = child.stdout.take().expect("stdout");
        *self.shared.doomed.lock().expect("a lock") = Some((child, piece, moment));
        // Ends with the process.
        stdout.read_to_end(&mut Vec::new()).expect("its last words");
        let doomed = self.shared.doomed.lock().expect("a lock").take();
        let (mut child, ..) = doomed.expect("the program");
        child.wait().expect("its end").code().is_none()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let number = shared.pieces.fetch_add(1, Ordering::SeqCst) + 1;
        if matches!(*shared.doomed.lock().expect("a lock"), Some((_, piece, Moment::After)) if piece == number)
            && to.write_all(&buffer[..read]).is_err()
        {
            break;
        }
        if let Some((child, piece, moment)) = shared.doomed.lock().expect("a lock").as_mut()
            && *piece == number
        {
            child.kill().expect("killed");
            if matches!(moment, Moment::Before) {
                break;
            }
            continue;
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // Whoever is on the other side sees the end as well; that it has gone already is no news.
    let _ = to.shutdown(Shutdown::Both);
}
