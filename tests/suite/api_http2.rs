//! HTTP/2 without TLS, spoken frame by frame: what differs from HTTP/1.1 at this door.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api_client::Service;

const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
/// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 6.5.2).
const STREAMS: u16 = 3;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
    frame.extend_from_slice(payload);
    frame
}

/// The payload of the next frame of this kind.
async fn next(stream: &mut TcpStream, wanted: u8) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == wanted {
            return payload;
        }
    }
}

async fn connect(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let hello = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &[]),
    ];
    stream.write_all(&hello.concat()).await.unwrap();
    stream
}

/// GET `path`; `:authority` and `host` as given. Whether the status was 200.
async fn is_ok(service: &Service, path: &str, authority: &str, host: Option<&str>) -> bool {
    let literal = |text: &str| {
        let mut bytes = vec![u8::try_from(text.len()).unwrap()];
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    // HPACK: `:method: GET` and `:scheme: http` from the static table, then literals.
    let mut block = vec![0x82, 0x86];
    block.extend([vec![0x04], literal(path), vec![0x01], literal(authority)].concat());
    if let Some(host) = host {
        block.extend([vec![0x00], literal("host"), literal(host)].concat());
    }
    let mut stream = connect(service).await;
    let end_of_stream_and_head = 0x5;
    stream
        .write_all(&frame(HEADERS, end_of_stream_and_head, 1, &block))
        .await
        .unwrap();
    let answer = next(&mut stream, HEADERS).await;
    // `:status: 200` stands in the static table, and first.
    answer[0] == 0x88
}

#[tokio::test]
async fn the_host_of_http_2_stands_beside_the_headers() {
    let service = Service::start().await;
    let messages = "/api/v1/inbox/messages";
    for (authority, host, wanted) in [
        ("localhost:8000", None, true),
        ("localhost:8000", Some("localhost:8000"), true),
        ("evil.test", None, false),
        ("localhost:8000", Some("evil.test"), false),
        ("evil.test", Some("localhost:8000"), false),
    ] {
        let ok = is_ok(&service, messages, authority, host).await;
        assert_eq!(ok, wanted, "{authority} {host:?}");
    }
    assert!(is_ok(&service, "/healthz", "evil.test", None).await);
}

#[tokio::test]
async fn a_connection_of_http_2_takes_so_many_requests_at_once() {
    let service = Service::start().await;
    let settings = next(&mut connect(&service).await, SETTINGS).await;
    let limits = settings.chunks(6).filter_map(|setting| {
        let (id, value) = (&setting[..2], &setting[2..]);
        (id == STREAMS.to_be_bytes()).then(|| u32::from_be_bytes(value.try_into().unwrap()))
    });
    assert_eq!(limits.collect::<Vec<_>>(), [64]);
}
