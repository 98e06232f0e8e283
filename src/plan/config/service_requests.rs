//! What a service is asked: `[[service.request]]`.

use std::collections::BTreeMap;

use super::super::PlanError;
use super::super::service::ServiceRequest;
use super::ValueOrigin;
use super::entry::{EntryKey, EntryKind, EntryReader, EntryScope};

/// The keys of one request.
pub(super) const REQUEST_KEYS: &[EntryKey] = &[
    EntryKey::text("method", "`GET`, `POST`, … [default: GET]"),
    EntryKey::text("path", "The path, with its query"),
    EntryKey::of(
        "headers",
        EntryKind::Texts,
        "Headers; a value `$NAME` is that of an environment variable, and is never recorded",
    ),
    EntryKey::text("body", "The body [default: empty]"),
    EntryKey::of(
        "weight",
        EntryKind::Number,
        "How often it is sent, relative to the others [default: 1]",
    ),
    EntryKey::of(
        "status",
        EntryKind::Number,
        "The status that its answer must have [default: 200]",
    ),
    EntryKey::text("contains", "What its answer's body must contain"),
];

/// Reads the requests of a service.
pub(super) fn requests(
    reader: &EntryReader<'_>,
    scope: EntryScope<'_>,
    origin: &ValueOrigin,
) -> Result<Vec<ServiceRequest>, PlanError> {
    let tables = reader.tables("request", REQUEST_KEYS)?;
    let requests = tables.into_iter().map(|table| {
        request(&EntryReader {
            table,
            keys: REQUEST_KEYS,
            scope,
            origin,
            what: "a request of a service",
        })
    });
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    match requests.iter().any(|request| request.weight > 0) {
        true => Ok(requests),
        false => Err(reader.invalid(
            "request",
            "nothing would be sent; add `[[service.request]]` with a `path`",
        )),
    }
}

/// The headers of a request. A variable is the whole of a value, so that what is kept out of a report is exactly that.
fn headers(reader: &EntryReader<'_>) -> Result<BTreeMap<String, String>, PlanError> {
    let headers = reader
        .texts("headers")?
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect::<BTreeMap<_, _>>();
    let parts = headers.values().flat_map(|value| {
        let whole = value.strip_prefix('$').filter(|name| is_variable(name));
        let after_dollars = value.split('$').skip(1);
        after_dollars.filter(move |part| whole.is_none() && part.starts_with(is_of_variable))
    });
    match parts.map(variable_of).next() {
        None => Ok(headers),
        Some(name) => Err(reader.invalid(
            "headers",
            format!(
                "`${name}` has to be the whole value: `export {name}='…'` with all of it, for example `Bearer …`, and \
                 write `\"${name}\"`"
            ),
        )),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_of_variable)
}

fn is_of_variable(letter: char) -> bool {
    letter == '_' || letter.is_ascii_alphanumeric()
}

/// The name of the variable at the beginning of a text.
fn variable_of(text: &str) -> &str {
    let end = text.find(|letter| !is_of_variable(letter));
    &text[..end.unwrap_or(text.len())]
}

fn request(reader: &EntryReader<'_>) -> Result<ServiceRequest, PlanError> {
    let path = reader.text("path")?.filter(|path| path.starts_with('/'));
    let path = path.ok_or_else(|| reader.invalid("path", "it must begin with `/`"))?;
    let weight = reader.number("weight")?.unwrap_or(1);
    let status = reader.number("status")?.unwrap_or(200);
    let status = u16::try_from(status)
        .ok()
        .filter(|status| (100..600).contains(status));
    Ok(ServiceRequest {
        method: reader.text("method")?.unwrap_or("GET").to_owned(),
        path: path.to_owned(),
        headers: headers(reader)?,
        body: reader.text("body")?.unwrap_or_default().to_owned(),
        weight: u32::try_from(weight)
            .map_err(|_| reader.invalid("weight", "it must be below 4294967296"))?,
        status: status.ok_or_else(|| reader.invalid("status", "it must be from 100 to 599"))?,
        contains: reader.text("contains")?.map(str::to_owned),
    })
}
