//! HTTP: a request's method, target and body in, status, content type and body out (contract section 7).
//!
//! Promise: a request that reaches a function gets status 200 with the outcome in the body, whatever the outcome is;
//! another path gets 404, and a request that cannot be read 400. The host has authenticated the caller before.

use serde::Serialize;
use serde_json::json;

use crate::api;
use crate::api::answer::{Answer, UapiAnswer, WhmAnswer};
use crate::api::args::{Args, not_valid};
use crate::api::refusal::{ReasonCode, Refusal};
use crate::api::registry::{self, Api, Effect};
use crate::engine::Tfa;
use crate::wire::format::Format;
use crate::wire::{ParameterError, form};

/// The longest target, and the longest body, that is read, in bytes.
pub const MAX_BYTES: usize = form::MAX_BYTES;
/// The parameter with the version of the API; there is one version.
const VERSION: &str = "api.version";
/// The one WHM function that is documented without a version.
const WITHOUT_VERSION: &str = "cpanel";
/// What begins the path segment with the security token, which the host has checked.
const TOKEN: &str = "cpsess";

/// What the web server answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// Where a path leads.
struct Route {
    format: Format,
    /// WHM's function, or UAPI's.
    function: String,
    is_whm: bool,
}

impl Response {
    /// The answer to a request that did not reach a function.
    pub fn refused(refusal: &Refusal) -> Self {
        let status = if refusal.reason_code() == ReasonCode::Unavailable { 500 } else { 400 };
        Response::error(status, &refusal.to_string())
    }

    fn error(status: u16, why: &str) -> Self {
        let body = json!({ "error": why }).to_string();
        Response { status, content_type: Format::Json.content_type(), body }
    }
}

/// Answers one request of `caller`. `target` is the path and the query as they are in the request line. A body that
/// begins with a brace is JSON, any other body is a form.
pub fn respond(tfa: &Tfa, caller: &str, method: &str, target: &str, body: Option<&str>) -> Response {
    let body = body.unwrap_or_default();
    if target.len() > MAX_BYTES || body.len() > MAX_BYTES {
        return Response::error(
            400,
            &format!("The target or the body of the request has more than {MAX_BYTES} bytes."),
        );
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(route) = route(path) else {
        return Response::error(404, "There is no function at this path.");
    };
    if tfa.config().require_post && method == "GET" && route.changes() {
        return route.write(400, &route.refuse(Refusal::PostRequired(route.function.clone())));
    }
    match read(method, query, body) {
        Ok(args) => route.write(200, &route.call(tfa, caller, &args)),
        Err(error) => route.write(400, &route.refuse(error.into())),
    }
}

/// Where `path` leads: `[/cpsess…]/json-api/FUNCTION`, the same under `xml-api`, or `/execute/MODULE/FUNCTION`.
fn route(path: &str) -> Option<Route> {
    let path = without_origin(path);
    let mut segments = path.strip_prefix('/')?.split('/').map(form::uri_decode).collect::<Result<Vec<_>, _>>().ok()?;
    if segments.first().is_some_and(|first| is_token(first)) {
        segments.remove(0);
    }
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let (format, function, is_whm) = match segments.as_slice() {
        ["json-api", function] => (Format::Json, function, true),
        ["xml-api", function] => (Format::Xml, function, true),
        ["execute", registry::MODULE, function] => (Format::Json, function, false),
        _ => return None,
    };
    Some(Route { format, function: (*function).to_owned(), is_whm }).filter(|route| !route.function.is_empty())
}

/// The path alone of a target in absolute form, `https://host:2087/…` (RFC 9112 section 3.2.2).
fn without_origin(path: &str) -> &str {
    let Some((scheme, rest)) = path.split_once("://") else { return path };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return path;
    }
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}

/// Whether a segment is a security token: `cpsess` and digits, or the `#` that documentation writes for a digit.
fn is_token(segment: &str) -> bool {
    let digits = segment.strip_prefix(TOKEN);
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'#'))
}

/// The arguments of a request: those of the query, then those of the body.
fn read(method: &str, query: &str, body: &str) -> Result<Args, ParameterError> {
    match method {
        "POST" => {}
        "GET" if body.is_empty() => {}
        "GET" => return Err(not_valid("body", "a GET request has no body.")),
        _ => return Err(not_valid("method", "it must be GET or POST.")),
    }
    let mut args = Args::from_query(query)?;
    let is_json = body.trim_start().starts_with('{');
    args.append(if is_json { Args::parse(Some(body))? } else { Args::from_query(body)? });
    Ok(args)
}

impl Route {
    /// Whether the function changes something, or can.
    fn changes(&self) -> bool {
        let api = if self.is_whm { Api::Whm } else { Api::Uapi };
        registry::find(api, &self.function).is_some_and(|function| function.effect == Effect::Changes)
    }

    fn call(&self, tfa: &Tfa, caller: &str, args: &Args) -> Answer {
        if !self.is_whm {
            return Answer::Uapi(api::uapi(tfa, caller, registry::MODULE, &self.function, args));
        }
        match self.check_version(args) {
            Ok(()) => Answer::from(api::whmapi1(tfa, caller, &self.function, args)),
            Err(error) => self.refuse(error.into()),
        }
    }

    fn check_version(&self, args: &Args) -> Result<(), ParameterError> {
        match args.plain_text(VERSION)?.as_deref() {
            Some("1") => Ok(()),
            None if self.function == WITHOUT_VERSION => Ok(()),
            None | Some("") => Err(ParameterError::Required(VERSION.to_owned())),
            Some(_) => Err(not_valid(VERSION, "it must be 1.")),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Answer {
        if self.is_whm {
            Answer::Whm(WhmAnswer::new(&self.function, Err(refusal)))
        } else {
            Answer::Uapi(UapiAnswer::new(Err(refusal)))
        }
    }

    fn write(&self, status: u16, answer: &Answer) -> Response {
        match self.format.write(answer) {
            Ok(body) => Response { status, content_type: self.format.content_type(), body },
            Err(why) => Response::refused(&Refusal::unavailable(why)),
        }
    }
}
