//! Against servers of a few lines on this machine.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;

/// What a server answers to the n-th request.
type Answers = dyn Fn(u64, &str) -> Vec<u8> + Send + Sync;

/// Answers every request of one connection; ends it where the answer is empty.
fn serve(stream: impl Read + Write, count: &AtomicU64, answers: &Answers) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut path = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let answer = answers(count.fetch_add(1, Ordering::SeqCst), &path);
        if answer.is_empty() || stream.get_mut().write_all(&answer).is_err() {
            return;
        }
    }
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A server on a port of this machine, and how often it was asked.
fn server(
    answers: impl Fn(u64, &str) -> Vec<u8> + Send + Sync + 'static,
) -> (Address, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let answers: Arc<Answers> = Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, counted, answers): (TcpStream, _, _) =
                (stream.unwrap(), Arc::clone(&counted), Arc::clone(&answers));
            std::thread::spawn(move || serve(stream, &counted, &*answers));
        }
    });
    let host = "127.0.0.1".to_owned();
    (Address::Tcp { host, port }, count)
}

fn order(address: Address, shape: LoadShape) -> LoadOrder {
    LoadOrder {
        address,
        requests: vec![PlannedRequest::get("/")],
        seed: 7,
        shape,
        connections: 2,
        warm_up_ms: 0,
        duration_ms: 3_600_000,
        most_requests: 200,
        timeout_ms: 10_000,
        window_ms: None,
    }
}

#[test]
fn a_closed_loop_sends_as_many_requests_as_it_may_and_counts_the_answers() {
    let (address, count) = server(|_, _| ok("hello"));
    let outcome = run(&order(address, LoadShape::Closed), &[]).unwrap();
    assert_eq!((outcome.answered, outcome.sent), (200, 200));
    assert_eq!(count.load(Ordering::SeqCst), 200);
    assert_eq!(outcome.errors, []);
    let latency = outcome.latency.unwrap();
    assert!(latency.p50 > 0.0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max);
    // The requests ended the load long before its hour was over.
    assert!(outcome.seconds < 3600.0 && outcome.throughput() > 0.0);
}

#[test]
fn an_open_loop_charges_a_stalled_server_for_every_request_that_had_to_wait() {
    // One connection, and the first answer comes when ten more requests are due.
    let (address, _) = server(|n, _| {
        if n == 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
        ok("")
    });
    let stalled = LoadOrder {
        connections: 1,
        most_requests: 10,
        ..order(address, LoadShape::Open { rate: 100.0 })
    };
    let outcome = run(&stalled, &[]).unwrap();
    assert_eq!(outcome.answered, 10);
    // Half of them waited for at least 50 ms; from the moment of sending, nine would have taken next to nothing.
    assert!(outcome.latency.unwrap().p50 >= 45e6, "{outcome:?}");
}

#[test]
fn one_seed_is_one_sequence_of_requests_drawn_by_weight() {
    let paths = |seed| {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let (address, _) = server(move |_, path| {
            kept.lock().unwrap().push(path.to_owned());
            ok("")
        });
        let weighted = |path: &str, weight| PlannedRequest {
            weight,
            ..PlannedRequest::get(path)
        };
        let order = LoadOrder {
            requests: vec![weighted("/a", 3), weighted("/b", 1), weighted("/c", 0)],
            seed,
            connections: 1,
            ..order(address, LoadShape::Closed)
        };
        run(&order, &[]).unwrap();
        std::mem::take(&mut *seen.lock().unwrap())
    };
    let first = paths(1);
    assert_eq!(first, paths(1));
    assert_ne!(first, paths(2));
    let of = |path: &str| first.iter().filter(|one| *one == path).count();
    assert_eq!((of("/a") + of("/b"), of("/c")), (200, 0));
    assert!(of("/a") > of("/b") && of("/b") > 0);
}

#[test]
fn failures_are_counted_by_kind_with_an_example() {
    let (address, _) = server(|n, _| match n % 5 {
        0 => b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        3 => b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        1 => b"garbage\r\n\r\n".to_vec(),
        2 => Vec::new(),
        _ => ok("something else"),
    });
    let mut order = LoadOrder {
        most_requests: 50,
        connections: 1,
        ..order(address, LoadShape::Closed)
    };
    order.requests[0].contains = Some("greeting".to_owned());
    let outcome = run(&order, &[]).unwrap();
    assert_eq!((outcome.answered, outcome.failed()), (0, 50));
    let kinds: std::collections::BTreeMap<_, _> = outcome
        .errors
        .iter()
        .map(|error| (error.kind, error.count))
        .collect();
    let expected = [
        RequestErrorKind::Closed,
        RequestErrorKind::Protocol,
        RequestErrorKind::Status,
        RequestErrorKind::Refused,
        RequestErrorKind::Body,
    ];
    assert_eq!(kinds, expected.map(|kind| (kind, 10)).into(), "{outcome:?}");
    for (kind, status) in [
        (RequestErrorKind::Status, 500),
        (RequestErrorKind::Refused, 503),
    ] {
        let error = outcome.errors.iter().find(|error| error.kind == kind);
        let example = format!("GET /: status {status} instead of 200");
        assert_eq!(error.unwrap().example, example);
    }
}

#[test]
fn an_answer_that_does_not_come_is_given_up() {
    let (address, _) = server(|_, _| {
        std::thread::sleep(Duration::from_secs(3600));
        Vec::new()
    });
    let order = LoadOrder {
        most_requests: 2,
        timeout_ms: 20,
        ..order(address, LoadShape::Closed)
    };
    let outcome = run(&order, &[]).unwrap();
    assert_eq!(outcome.errors[0].kind, RequestErrorKind::Timeout);
    assert_eq!(outcome.latency, None);
}

#[test]
fn a_server_that_hangs_until_after_the_end_of_a_closed_loop_has_failed() {
    let (address, _) = server(|_, _| {
        std::thread::sleep(Duration::from_secs(3600));
        Vec::new()
    });
    let order = LoadOrder {
        duration_ms: 500,
        timeout_ms: 600,
        ..order(address, LoadShape::Closed)
    };
    let outcome = run(&order, &[]).unwrap();
    assert_eq!((outcome.answered, outcome.failed()), (0, 2), "{outcome:?}");
}

#[test]
fn a_request_that_fails_at_once_makes_no_percentile_smaller() {
    let (address, _) = server(|n, _| match n % 10 {
        0 => b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => ok(""),
    });
    let order = LoadOrder {
        connections: 1,
        ..order(address, LoadShape::Closed)
    };
    let outcome = run(&order, &[]).unwrap();
    assert_eq!((outcome.answered, outcome.failed()), (180, 20));
    let latency = outcome.latency.unwrap();
    // They took as long as they may.
    assert_eq!((latency.p95, latency.p99), (10e9, 10e9));
    assert!(latency.p90 <= latency.max, "{latency:?}");
}

#[test]
fn bodies_are_sent_and_chunked_answers_read_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let count = AtomicU64::new(0);
        for stream in listener.incoming() {
            let chunked =
                "HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
            serve(stream.unwrap(), &count, &move |_, _| chunked.into());
        }
    });
    let mut order = LoadOrder {
        connections: 1,
        ..order(Address::Unix { path }, LoadShape::Closed)
    };
    order.requests = vec![PlannedRequest {
        method: "POST".to_owned(),
        body: "{}".to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        status: 201,
        contains: Some("hell".to_owned()),
        ..PlannedRequest::get("/things")
    }];
    let outcome = run(&order, &[]).unwrap();
    assert_eq!(
        (outcome.answered, outcome.failed()),
        (200, 0),
        "{outcome:?}"
    );
}

#[test]
fn a_spike_sends_more_for_a_while_and_windows_tell_when() {
    let (address, count) = server(|_, _| ok("fine"));
    let shape = LoadShape::Spike {
        rate: 100.0,
        high: 1000.0,
        from_ms: 200,
        lasting_ms: 200,
    };
    let order = LoadOrder {
        duration_ms: 600,
        most_requests: 1000,
        window_ms: Some(200),
        ..order(address, shape)
    };
    let outcome = run(&order, &[]).unwrap();
    let windows: Vec<u64> = outcome.windows.iter().map(|one| one.counted).collect();
    assert_eq!(windows, [20, 200, 20]);
    assert_eq!(count.load(Ordering::SeqCst), 240);
    assert!(outcome.windows.iter().all(|one| one.p50 <= one.p95));
}

#[test]
fn another_machine_is_loaded_only_where_it_is_named() {
    // An address for documentation, which no machine has.
    let host = "192.0.2.1".to_owned();
    let foreign = order(Address::Tcp { host, port: 80 }, LoadShape::Closed);
    let error = run(&foreign, &[]).unwrap_err();
    assert!(matches!(error, LoadError::ForeignHost { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--i-may-load 192.0.2.1"));
}

#[test]
fn what_is_without_bounds_or_no_http_is_refused() {
    let host = "127.0.0.1".to_owned();
    let address = Address::Tcp { host, port: 1 };
    let refused = |change: &dyn Fn(&mut LoadOrder)| {
        let mut order = order(address.clone(), LoadShape::Closed);
        change(&mut order);
        run(&order, &[]).unwrap_err().to_string()
    };
    assert!(refused(&|o| o.connections = 0).contains("0 connections"));
    assert!(refused(&|o| o.timeout_ms = 0).contains("a time limit of 0 ms"));
    assert!(refused(&|o| o.warm_up_ms = u64::MAX).contains("4 hours"));
    assert!(refused(&|o| o.shape = LoadShape::Open { rate: 1e-300 }).contains("from 0.001"));
    assert!(refused(&|o| o.requests.clear()).contains("no request"));
    assert!(refused(&|o| o.duration_ms = 86_400_000).contains("4 hours"));
    assert!(refused(&|o| o.shape = LoadShape::Open { rate: 0.0 }).contains("per second"));
    assert!(refused(&|o| o.requests[0].path = "not a path".into()).contains("GET not a path"));
    assert!(refused(&|_| {}).contains("nothing answers at 127.0.0.1:1"));
}

#[test]
fn the_order_is_short_to_type_and_a_misspelt_key_is_refused() {
    let text = r#"{"address": {"tcp": {"host": "localhost", "port": 80}}, "requests": [{"path": "/"}],
        "seed": 1, "shape": {"open": {"rate": 10}}, "connections": 1, "duration_ms": 5}"#;
    let order: LoadOrder = serde_json::from_str(text).unwrap();
    assert_eq!(order.requests, [PlannedRequest::get("/")]);
    assert_eq!(order.shape, LoadShape::Open { rate: 10.0 });
    let misspelt = text.replace("duration_ms", "duration");
    assert!(serde_json::from_str::<LoadOrder>(&misspelt).is_err());
    assert!(matches!(
        serde_json::from_str(&text.replace("\"open\": {\"rate\": 10}", "\"closed\": null"))
            .map(|order: LoadOrder| order.shape),
        Ok(LoadShape::Closed)
    ));
}
