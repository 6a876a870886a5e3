//! HTTP requests. Promise: every response has a documented status, and a body of the type that it states.

use tfa::http::respond;

use crate::server::server;

/// A path and a query.
pub fn target(text: &str) {
    request("GET", text, "");
}

/// A form body.
pub fn form(text: &str) {
    request("POST", "/json-api/batch?api.version=1", text);
    request("POST", "/xml-api/twofactorauth_get_user_configs?api.version=1", text);
}

/// A JSON body.
pub fn json(text: &str) {
    request("POST", "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1", text);
    request("POST", "/execute/TwoFactorAuth/get_user_configuration", text);
}

fn request(method: &str, target: &str, body: &str) {
    let response = respond(server(), "root", method, target, Some(body));
    assert!([200, 400, 404, 500].contains(&response.status));
    if response.content_type == "application/json" {
        serde_json::from_str::<serde_json::Value>(&response.body).expect("the body is JSON");
    }
}
