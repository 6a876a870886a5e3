//! HTTP requests: every documented URL, and the requests that are refused (contract section 7).

use serde_json::{Value, json};

use crate::server::{SECRET, Server, code, parsed, reason, result};

#[test]
fn the_documented_urls_work() {
    let server = Server::new();
    let token = "/cpsess1234567890";
    let whm =
        |function: &str, query: &str| server.get("root", &format!("{token}/json-api/{function}?api.version=1{query}"));
    assert_eq!(result(&whm("twofactorauth_enable_policy", "")), 1);
    assert_eq!(whm("twofactorauth_policy_status", "")["data"], json!({"is_enabled": 1}));
    let made = whm("twofactorauth_generate_tfa_config", "");
    assert_eq!(made["data"]["secret"].as_str().unwrap().len(), 16);
    assert_eq!(
        whm("twofactorauth_set_tfa_config", &format!("&secret={SECRET}&tfa_token={}", code()))["data"],
        json!({"success": 1})
    );
    assert_eq!(result(&whm("twofactorauth_set_issuer", "&issuer=Example%20Hosting")), 1);
    assert_eq!(
        whm("twofactorauth_get_issuer", "")["data"],
        json!({"issuer": "Example Hosting", "system_wide_issuer": "Example Hosting"})
    );
    assert_eq!(
        whm("twofactorauth_get_user_configs", "&user=example")["data"],
        json!({"example": {"is_enabled": 0, "primary_domain": "example.com"}})
    );
    assert_eq!(
        whm("twofactorauth_remove_user_config", "&user-0=example&user-1=user%40example.com&user=root&user=nobody")["data"],
        json!({"failed": {"nobody": "The user \"nobody\" does not exist."}, "users_modified": ["example", "user@example.com", "root"]})
    );
    server.enrol("example");
    assert_eq!(
        whm("twofactorauth_get_tfa_config_for_user", "&user=example")["data"],
        json!({"example": {"email": {}, "primary_account": {"secret": SECRET}, "team": {}}})
    );
    assert_eq!(result(&whm("twofactorauth_disable_policy", "")), 1);
    assert_eq!(whm("twofactorauth_login_status", "&user=example")["data"]["is_enabled"], 1);
    assert_eq!(whm("twofactorauth_verify_login", "&user=example&tfa_token=123456")["data"]["required"], 0);
    assert_eq!(result(&whm("twofactorauth_unlock_user", "&user=example")), 1);
}

#[test]
fn the_documented_urls_of_other_calls_work() {
    let server = Server::new();
    server.enrol("example");
    server.whm("root", "twofactorauth_set_issuer", json!({"issuer": "Example Hosting"}));
    let token = "/cpsess1234567890";
    let whm =
        |function: &str, query: &str| server.get("root", &format!("{token}/json-api/{function}?api.version=1{query}"));
    assert_eq!(
        whm("batch", "&command=twofactorauth_policy_status&command=twofactorauth_get_user_configs%3Fuser%3Dexample")["data"]
            ["result"][1]["data"],
        json!({"example": {"is_enabled": 1, "primary_domain": "example.com"}})
    );
    assert!(whm("applist", "")["data"]["app"].is_array());
    assert_eq!(
        whm("uapi_cpanel", "&cpanel.user=example&cpanel.module=TwoFactorAuth&cpanel.function=get_user_configuration")["data"]
            ["uapi"]["data"],
        json!({"is_enabled": 1, "issuer": "Example Hosting"})
    );
    let cpanel = "cpanel_jsonapi_user=example&cpanel_jsonapi_apiversion=3&cpanel_jsonapi_module=TwoFactorAuth&cpanel_jsonapi_func=get_user_configuration";
    let answer = server.get("root", &format!("{token}/json-api/cpanel?{cpanel}"));
    assert_eq!(answer["result"]["data"], json!({"is_enabled": 1, "issuer": "Example Hosting"}));
    assert_eq!(server.get("root", &format!("{token}/json-api/cpanel?api.version=1&{cpanel}")), answer);
}

#[test]
fn the_documented_uapi_urls_work() {
    let server = Server::new();
    server.enforce();
    let uapi = |function: &str| server.get("example", &format!("/cpsess1234567890/execute/TwoFactorAuth/{function}"));
    assert!(
        uapi("generate_user_configuration")["data"]["otpauth_str"].as_str().unwrap().starts_with("otpauth://totp/")
    );
    let refused = uapi(&format!("set_user_configuration?secret={SECRET}&tfa_token=123456"));
    assert_eq!((&refused["status"], &refused["errors"]), (&json!(0), &json!(["The security code is invalid."])));
    let done = uapi(&format!("set_user_configuration?secret={SECRET}&tfa_token={}", code()));
    assert_eq!(
        done,
        json!({"data": {"tfa_configured": 1}, "errors": null, "messages": null, "metadata": {}, "status": 1, "warnings": null})
    );
    assert_eq!(uapi("get_user_configuration")["data"]["is_enabled"], 1);
    assert_eq!(uapi("get_team_user_configuration?team_user=team_user")["data"]["is_enabled"], 0);
    assert_eq!(uapi("get_team_user_configuration?team_user=team_user%40example.com")["data"]["is_enabled"], 0);
    assert_eq!(uapi("generate_recovery_codes")["data"]["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(uapi("remove_user_configuration")["data"], json!({"tfa_removed": 1}));
    assert_eq!(uapi("nonsense")["status"], 0);
}

#[test]
fn every_documented_spelling_of_a_path_works() {
    let server = Server::new();
    for prefix in [
        "",
        "/cpsess1234567890",
        "/cpsess##########",
        "/cpsess",
        "https://hostname.example.com:2087/cpsess1234567890",
        "HTTP://h",
    ] {
        for name in ["twofactorauth_policy_status", "twofactorauth%5fpolicy%5Fstatus"] {
            let answer = server.get("root", &format!("{prefix}/json-api/{name}?api.version=1"));
            assert_eq!(answer["data"], json!({"is_enabled": 0}));
        }
    }
}

#[test]
fn any_other_path_is_not_found() {
    let server = Server::new();
    for path in [
        "",
        "/",
        "x",
        "json-api/f",
        "/json-api",
        "/json-api/",
        "/json-api/a/b",
        "/xml-api/",
        "/yaml-api/f",
        "/execute/TwoFactorAuth",
        "/execute/TwoFactorAuth/",
        "/execute/Email/list_pops",
        "/cpsess12x/json-api/applist",
        "/cpsess1/cpsess1/json-api/applist",
        "//json-api/applist",
        "/json-api/%ff",
        "https://h",
        "ftp://h/json-api/applist",
        "/../json-api/applist",
    ] {
        let response = server.http("root", "GET", &format!("{path}?api.version=1"), "");
        assert_eq!((response.status, response.content_type), (404, "application/json"), "{path}");
        assert!(serde_json::from_str::<Value>(&response.body).unwrap()["error"].is_string());
    }
}

#[test]
fn whm_requires_its_version() {
    let server = Server::new();
    for (query, expected) in [
        ("", r#"The parameter "api.version" is required."#),
        ("?api.version=", r#"The parameter "api.version" is required."#),
        ("?api.version=0", r#"The parameter "api.version" is not valid: it must be 1."#),
        ("?api.version=1&api.version=1", r#"The parameter "api.version" is not valid: it is given more than once."#),
    ] {
        let answer = server.get("root", &format!("/json-api/twofactorauth_enable_policy{query}"));
        assert_eq!((result(&answer), reason(&answer)), (0, expected));
    }
    let answer = server.get("root", "/json-api/twofactorauth_policy_status?api.version=1");
    assert_eq!(answer["data"], json!({"is_enabled": 0}), "no function was called");
}

#[test]
fn a_post_body_is_a_form_or_json() {
    let server = Server::new();
    for (number, (query, body)) in [
        ("api.version=1&issuer=Issuer+0", ""),
        ("api.version=1", "issuer=Issuer+1"),
        ("", "api.version=1&issuer=Issuer%202"),
        ("api.version=1", r#"{"issuer": "Issuer 3"}"#),
        ("", " \n{\"api.version\": 1, \"issuer\": \"Issuer 4\"}"),
    ]
    .into_iter()
    .enumerate()
    {
        let response = server.http("root", "POST", &format!("/json-api/twofactorauth_set_issuer?{query}"), body);
        assert_eq!(response.status, 200);
        let answer = server.get("root", "/json-api/twofactorauth_get_issuer?api.version=1");
        assert_eq!(answer["data"]["issuer"], format!("Issuer {number}"));
    }
    let config = json!({"example": {"email": {"user@example.com": {"secret": SECRET}}, "primary_account": {"secret": SECRET}, "team": {"team_user@example": {"secret": SECRET}}}});
    let response = server.http(
        "root",
        "POST",
        "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1",
        &config.to_string(),
    );
    assert_eq!(
        response.body,
        r#"{"metadata":{"command":"twofactorauth_set_tfa_config_for_user","reason":"OK","result":1,"version":1}}"#
    );
    assert_eq!(
        server.get("root", "/json-api/twofactorauth_get_tfa_config_for_user?api.version=1&user=example")["data"],
        config
    );
}

#[test]
fn an_account_without_secrets_is_set_as_it_is_returned() {
    let server = Server::new();
    let target = "/json-api/twofactorauth_set_tfa_config_for_user?api.version=1";
    let empty =
        server.get("root", "/json-api/twofactorauth_get_tfa_config_for_user?api.version=1&user=example")["data"]
            .clone();
    assert_eq!(empty, json!({"example": {"email": {}, "primary_account": {}, "team": {}}}));
    // PHP turns an empty object into an empty list.
    let from_php = json!({"example": {"email": [], "primary_account": {"secret": SECRET}, "team": []}});
    for config in [empty, json!({"example": {"email": [], "primary_account": [], "team": []}}), from_php] {
        let answer = parsed(&server.http("root", "POST", target, &config.to_string()).body);
        assert_eq!(reason(&answer), "OK", "{config}");
    }
    for (config, expected) in [
        (json!({}), r#"The parameter "user" is required."#),
        (
            json!({"example": {"mail": []}}),
            r#"The parameter "mail" is not valid: a user has "email", "primary_account" and "team"."#,
        ),
        (
            json!({"example": {"team": ["team_user@example"]}}),
            r#"The parameter "team" is not valid: it is not an object."#,
        ),
    ] {
        let answer = parsed(&server.http("root", "POST", target, &config.to_string()).body);
        assert_eq!(reason(&answer), expected);
    }
}

#[test]
fn a_parameter_that_is_sent_twice_is_refused() {
    let server = Server::new();
    let response =
        server.http("root", "POST", "/json-api/twofactorauth_set_issuer?api.version=1&issuer=a", r#"{"issuer": "b"}"#);
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(reason(&answer), r#"The parameter "issuer" is not valid: it is given more than once."#);
}

#[test]
fn an_unreadable_request_is_a_bad_request() {
    let server = Server::new();
    let path = "/json-api/applist?api.version=1";
    for (method, target, body, expected) in [
        ("PUT", path, "", "it must be GET or POST"),
        ("get", path, "", "it must be GET or POST"),
        ("GET", path, "a=b", "a GET request has no body"),
        ("GET", "/json-api/applist?api.version=1&a=%ff", "", "UTF-8"),
        ("POST", path, "{", "not JSON"),
        ("POST", path, "{}{}", "not JSON"),
        ("POST", path, "a=%ff", "UTF-8"),
        ("POST", path, &"a=b&".repeat(10_001), "more than 10000 parameters"),
        ("POST", path, &format!("{}=", "a".repeat(257)), "more than 256 bytes"),
        ("POST", path, &" ".repeat((1 << 20) + 1), "more than 1048576 bytes"),
        ("GET", &format!("/json-api/applist?{}", "a".repeat(1 << 20)), "", "more than 1048576 bytes"),
    ] {
        let response = server.http("root", method, target, body);
        assert_eq!(response.status, 400, "{method} {expected}");
        assert!(response.body.contains(expected), "{}", response.body);
    }
    let xml = server.http("root", "PUT", "/xml-api/applist", "");
    assert_eq!((xml.status, xml.content_type), (400, "application/xml"));
    let uapi = server.http("example", "PUT", "/execute/TwoFactorAuth/get_user_configuration", "");
    assert_eq!(serde_json::from_str::<Value>(&uapi.body).unwrap()["status"], 0);
}

#[test]
fn a_body_of_the_largest_size_is_read() {
    let server = Server::new();
    let body = format!("issuer={}", "x".repeat((1 << 20) - 7));
    let response = server.http("root", "POST", "/json-api/twofactorauth_set_issuer?api.version=1", &body);
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(reason(&answer), r#"The parameter "issuer" is not valid: it has more than 128 characters."#);
}

#[test]
fn tfa_http_returns_the_same_response() {
    let server = Server::new();
    let caller = c"root".as_ptr();
    let call = |method: &std::ffi::CStr, target: &std::ffi::CStr| {
        // SAFETY: the handle is open, the strings end in NUL, and the answer is freed once.
        unsafe {
            let answer = tfa::ffi::http::tfa_http(
                (&raw const server.tfa).cast_mut(),
                caller,
                method.as_ptr(),
                target.as_ptr(),
                std::ptr::null(),
            );
            let text = std::ffi::CStr::from_ptr(answer).to_str().unwrap().to_owned();
            tfa::ffi::handle::tfa_free(answer);
            text
        }
    };
    assert_eq!(
        call(c"GET", c"/json-api/twofactorauth_policy_status?api.version=1"),
        r#"{"status":200,"content_type":"application/json","body":"{\"data\":{\"is_enabled\":0},\"metadata\":{\"command\":\"twofactorauth_policy_status\",\"reason\":\"OK\",\"result\":1,\"version\":1}}"}"#
    );
    assert_eq!(
        call(c"GET", c"/nowhere"),
        r#"{"status":404,"content_type":"application/json","body":"{\"error\":\"There is no function at this path.\"}"}"#
    );
    assert!(call(c"GET", c"\xff").starts_with(r#"{"status":400,"#));
}
