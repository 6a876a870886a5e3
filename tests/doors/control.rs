//! Output control: filters, sorting, chunks, columns and their metadata, through every API (contract section 7).

use serde_json::{Value, json};

use crate::server::{Server, reason, result};

const LIST: &str = "/json-api/twofactorauth_get_user_configs?api.version=1";

/// A server with 99 accounts, `u01` to `u99`, which root owns.
fn many() -> Server {
    let accounts: serde_json::Map<_, _> =
        (1..=99).map(|n| (format!("u{n:02}"), json!({"domain": format!("d{}.example", 100 - n)}))).collect();
    Server::with(json!({"inline": accounts}))
}

fn names(answer: &Value) -> Vec<&str> {
    answer["data"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn whm_filters_sorts_chunks_and_selects_columns() {
    let server = many();
    server.enrol("u42");
    let of = |query: &str| server.get("root", &format!("{LIST}&{query}"));
    let found = of("api.filter.enable=1&api.filter.a.field=is_enabled&api.filter.a.type=eq&api.filter.a.arg0=1");
    assert_eq!(found["data"], json!({"u42": {"is_enabled": 1, "primary_domain": "d58.example"}}));
    assert_eq!(found["metadata"]["filter"], json!({"filtered": 99}));
    let found = of(
        "api.filter.enable=1&api.filter.a.field=user&api.filter.a.type=begins&api.filter.a.arg0=u1&api.filter.b.arg0=d8\
                    &api.sort.enable=1&api.sort.a.field=primary_domain&api.chunk.enable=1&api.chunk.size=3&api.chunk.start=4\
                    &api.columns.enable=1&api.columns.a=primary_domain",
    );
    assert_eq!(names(&found), ["u16", "u15", "u14"]);
    assert_eq!(found["data"]["u16"], json!({"primary_domain": "d84.example"}));
    assert_eq!(
        found["metadata"],
        json!({"chunk": {"chunks": 3, "current": 2, "records": 9, "size": 3, "start": 4}, "command": "twofactorauth_get_user_configs",
            "filter": {"filtered": 91}, "reason": "OK", "result": 1, "version": 1})
    );
}

#[test]
fn chunks_together_are_the_whole_list() {
    let server = many();
    let whole = server.get("root", LIST);
    assert_eq!(names(&whole).len(), 100);
    let mut walked = serde_json::Map::new();
    for start in (1..=100).step_by(7) {
        let part = server.get("root", &format!("{LIST}&api.chunk.enable=1&api.chunk.size=7&api.chunk.start={start}"));
        assert_eq!(part["metadata"]["chunk"]["records"], 100);
        walked.extend(part["data"].as_object().unwrap().clone());
    }
    assert_eq!(Value::Object(walked).to_string(), whole["data"].to_string());
}

#[test]
fn json_arguments_control_output_too() {
    let server = many();
    let args = json!({"api.chunk.enable": 1, "api.chunk.size": 2, "api.sort.enable": true, "api.sort.a.field": "user", "api.sort.a.reverse": 1});
    let answer = server.whm("root", "twofactorauth_get_user_configs", args);
    assert_eq!(names(&answer), ["u99", "u98"]);
}

#[test]
fn invalid_criteria_are_refused_and_nothing_is_changed() {
    let server = many();
    for (query, expected) in [
        ("api.filter.enable=2", r#"The parameter "api.filter.enable" is not valid: it is 0 or 1."#),
        ("api.filter.enable=1&api.filter.a.field=user", r#"The parameter "api.filter.a.arg0" is required."#),
        ("api.sort.enable=1&api.sort.a.method=numeric", r#"The parameter "api.sort.a.field" is required."#),
        ("api.chunk.enable=1", r#"The parameter "api.chunk.size" is required."#),
        (
            "api.chunk.enable=1&api.chunk.size=0",
            r#"The parameter "api.chunk.size" is not valid: it is a whole number from 1."#,
        ),
        (
            "api.chunk.enable=1&api.chunk.size=1&api.chunk.size=2",
            r#"The parameter "api.chunk.size" is not valid: it is given more than once."#,
        ),
    ] {
        let answer = server.get("root", &format!("/json-api/twofactorauth_enable_policy?api.version=1&{query}"));
        assert_eq!((result(&answer), reason(&answer)), (0, expected));
    }
    assert_eq!(server.whm("root", "twofactorauth_policy_status", json!({}))["data"]["is_enabled"], 0);
}

#[test]
fn an_answer_that_is_no_list_is_one_record() {
    let server = Server::new();
    let status = |query: &str| server.get("example", &format!("/execute/TwoFactorAuth/get_user_configuration?{query}"));
    let passed = status(
        "api.filter_column=is_enabled&api.filter_term=0&api.filter_type=eq&api.filter_column_1=issuer&api.filter_term_1=server\
                         &api.sort_column=issuer&api.paginate=1&api.paginate_size=10",
    );
    assert_eq!(passed["data"], json!({"is_enabled": 0, "issuer": "server.example.com"}));
    assert_eq!(
        passed["metadata"],
        json!({"filter": {"records_before_filter": 1},
            "paginate": {"current_page": 1, "results_per_page": 10, "start_result": 1, "total_pages": 1, "total_results": 1}})
    );
    let filtered_out = status("api.filter_column=is_enabled&api.filter_term=1");
    assert_eq!((&filtered_out["data"], &filtered_out["status"]), (&json!({}), &json!(1)));
    let wrong = status("api.filter_column=issuer&api.filter_term=%5B&api.filter_type=matches");
    assert!(
        wrong["errors"][0]
            .as_str()
            .unwrap()
            .starts_with(r#"The parameter "api.filter_term" is not valid: it is no regular"#)
    );
    let none =
        server.get("root", "/json-api/twofactorauth_enable_policy?api.version=1&api.chunk.enable=1&api.chunk.size=5");
    assert_eq!((result(&none), &none["metadata"]["chunk"]["records"]), (1, &json!(0)));
}
