//! A way to a server that cuts connections around COMMIT.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the server sees COMMIT.
    Before,
    /// When it has seen it, without waiting for its answer.
    During,
    /// When it has answered, without passing that on.
    After,
}

/// Starts one before `port`; it cuts the first `times` commits, and then passes everything on.
pub(crate) fn start(port: u16, cut: Cut, times: u32) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let door = listener.local_addr().unwrap().port();
    let left = Arc::new(AtomicU32::new(times));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), left) = (client, Arc::clone(&left)) else { continue };
            std::thread::spawn(move || drop(relay(client, port, cut, &left)));
        }
    });
    door
}

fn relay(mut client: TcpStream, port: u16, cut: Cut, left: &AtomicU32) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    let (mut back, mut to) = (server.try_clone()?, client.try_clone()?);
    let cutting = Arc::new(AtomicU32::new(0));
    let quiet = Arc::clone(&cutting);
    let answers = std::thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = back.read(&mut buffer) {
            if quiet.load(Ordering::SeqCst) == 1 {
                break;
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
        drop(back.shutdown(Shutdown::Both));
    });
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let is_commit = buffer[..read].windows(7).any(|window| window == b"COMMIT\0");
        let take = |left: u32| left.checked_sub(1);
        if is_commit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
            match cut {
                Cut::Before => {}
                Cut::During => server.write_all(&buffer[..read])?,
                Cut::After => {
                    cutting.store(1, Ordering::SeqCst);
                    server.write_all(&buffer[..read])?;
                    drop(answers.join());
                    return client.shutdown(Shutdown::Both);
                }
            }
            drop(server.shutdown(Shutdown::Both));
            return client.shutdown(Shutdown::Both);
        }
        server.write_all(&buffer[..read])?;
    }
    server.shutdown(Shutdown::Both)
}
