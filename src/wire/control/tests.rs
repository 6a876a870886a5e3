//! Output control, criterion by criterion, and the parameters that it refuses.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn pairs(query: &str) -> Vec<(String, String)> {
    crate::wire::form::parse(query).unwrap()
}

/// Four accounts, not sorted by any field.
fn accounts() -> Vec<Value> {
    vec![
        json!({"user": "dora", "domain": "d.example.com", "limit": "unlimited", "ip": "192.0.2.10", "n": 0}),
        json!({"user": "adam", "domain": "a.example.org", "limit": "100", "ip": "192.0.2.9", "n": 7}),
        json!({"user": "carl", "domain": "c.example.com", "limit": "20", "ip": "10.0.0.1", "n": 10}),
        json!({"user": "bert", "domain": null, "limit": "none", "ip": "x", "n": 7}),
    ]
}

fn names(controlled: &Controlled) -> String {
    controlled.records.iter().filter_map(|record| record["user"].as_str()?.chars().next()).collect()
}

fn by_whm(query: &str) -> Controlled {
    whm(&pairs(query)).unwrap().apply(accounts(), Some("user"))
}

fn by_uapi(query: &str) -> Controlled {
    uapi(&pairs(query)).unwrap().apply(accounts(), None)
}

#[test]
fn whm_filters_by_each_type() {
    for (field, test, argument, expected) in [
        ("domain", "contains", "example.c", "dc"),
        ("user", "eq", "adam", "a"),
        ("user", "eq", "ada", ""),
        ("n", "eq", "7", "ab"),
        ("n", "==", "7.0", "ab"),
        ("n", "%3D%3D", "0", "d"),
        ("user", "begins", "c", "c"),
        ("n", "lt", "7", "d"),
        ("n", "lt_equal", "7", "dab"),
        ("n", "gt", "7", "c"),
        ("n", "gt_equal", "7", "acb"),
        ("limit", "gt", "20", "a"),
        ("limit", "gt_handle_unlimited", "20", "da"),
        ("limit", "lt_handle_unlimited", "unlimited", "ac"),
        ("*", "contains", ".0.", "dac"),
        ("absent", "contains", "a", ""),
    ] {
        let query = format!(
            "api.filter.enable=1&api.filter.a.field={field}&api.filter.a.type={test}&api.filter.a.arg0={argument}"
        );
        assert_eq!(names(&by_whm(&query)), expected, "{query}");
    }
}

#[test]
fn whm_filters_must_all_pass_and_are_counted() {
    let found = by_whm("api.filter.enable=1&api.filter.a.field=n&api.filter.a.arg0=7&api.filter.b.arg0=example.org");
    assert_eq!(names(&found), "a");
    assert_eq!(Value::Object(found.metadata), json!({"filter": {"filtered": 3}}));
}

#[test]
fn whm_sorts_by_each_method() {
    for (field, method, expected) in [
        ("user", "lexicographic", "abcd"),
        ("n", "lexicographic", "dcab"),
        ("n", "numeric", "dabc"),
        ("n", "numeric_zero_as_max", "abcd"),
        ("limit", "numeric", "dbca"),
        ("ip", "ipv4", "bcad"),
        ("ip", "lexicographic", "cdab"),
        ("domain", "lexicographic", "bacd"),
    ] {
        let query = format!("api.sort.enable=1&api.sort.a.field={field}&api.sort.a.method={method}");
        assert_eq!(names(&by_whm(&query)), expected, "{query}");
    }
}

#[test]
fn a_reversed_sort_keeps_ties_for_the_next_field() {
    let query = "api.sort.enable=1&api.sort.a.field=n&api.sort.a.method=numeric&api.sort.a.reverse=1";
    assert_eq!(names(&by_whm(query)), "cabd");
    assert_eq!(names(&by_whm(&format!("{query}&api.sort.b.field=user&api.sort.b.reverse=1"))), "cbad");
}

#[test]
fn whm_chunks_and_counts_after_the_filter() {
    let found = by_whm("api.chunk.enable=1&api.chunk.size=2&api.chunk.start=3");
    assert_eq!(names(&found), "cb");
    assert_eq!(
        Value::Object(found.metadata),
        json!({"chunk": {"start": 3, "current": 2, "size": 2, "chunks": 2, "records": 4}})
    );
    let found = by_whm(
        "api.chunk.enable=1&api.chunk.size=2&api.filter.enable=1&api.filter.a.arg0=example&api.sort.enable=1&api.sort.a.field=user",
    );
    assert_eq!(names(&found), "ac");
    assert_eq!(found.metadata["chunk"], json!({"start": 1, "current": 1, "size": 2, "chunks": 2, "records": 3}));
    assert_eq!(found.metadata["filter"], json!({"filtered": 1}));
    let found = by_whm("api.chunk.enable=1&api.chunk.size=50&api.chunk.start=1000000");
    assert_eq!((names(&found).as_str(), &found.metadata["chunk"]["current"]), ("", &json!(20000)));
}

#[test]
fn whm_columns_keep_the_key() {
    let found = by_whm("api.columns.enable=1&api.columns.a=n&api.columns.b=absent");
    assert_eq!(found.records[1], json!({"user": "adam", "n": 7}));
    assert!(found.metadata.is_empty());
}

#[test]
fn whm_criteria_apply_only_when_enabled() {
    let control = whm(&pairs(
        "api.version=1&api.filter.a.arg0=x&api.sort.a.field=n&api.chunk.size=1&api.columns.a=n&api.sort.enable=0",
    ))
    .unwrap();
    assert!(control.is_idle());
    assert_eq!(names(&control.apply(accounts(), None)), "dacb");
}

#[test]
fn whm_refuses_invalid_criteria() {
    for (query, expected) in [
        ("api.filter.enable=yes", r#"The parameter "api.filter.enable" is not valid: it is 0 or 1."#),
        ("api.filter.enable=1&api.filter.a.field=n", r#"The parameter "api.filter.a.arg0" is required."#),
        (
            "api.filter.enable=1&api.filter.a.arg0=1&api.filter.a.type=like",
            r#""api.filter.a.type" is not valid: the types are contains, eq,"#,
        ),
        (
            "api.filter.enable=1&api.filter.a.arg0=x&api.filter.a.type=lt",
            r#""api.filter.a.arg0" is not valid: it is compared as a number, and is none."#,
        ),
        ("api.filter.enable=1&api.filter.a.arg0=nan&api.filter.a.type=lt", "and is none."),
        (
            "api.filter.enable=1&api.filter.a.fild=x",
            r#""api.filter.a.fild" is not valid: the names are api.filter.enable, api.filter.a.field, api.filter.a.type"#,
        ),
        (
            "api.filter.enable=1&api.filter.a.arg0=1&api.filter.a.arg0=2",
            r#""api.filter.a.arg0" is not valid: it is given more than once."#,
        ),
        ("api.sort.enable=1&api.sort.a.method=numeric", r#"The parameter "api.sort.a.field" is required."#),
        (
            "api.sort.enable=1&api.sort.a.field=n&api.sort.a.method=up",
            r#""api.sort.a.method" is not valid: the methods are lexicographic,"#,
        ),
        (
            "api.sort.enable=1&api.sort.a.field=n&api.sort.a.reverse=2",
            r#""api.sort.a.reverse" is not valid: it is 0 or 1."#,
        ),
        ("api.chunk.enable=1", r#"The parameter "api.chunk.size" is required."#),
        ("api.chunk.enable=1&api.chunk.start=2", r#"The parameter "api.chunk.size" is required."#),
        ("api.chunk.enable=1&api.chunk.size=5&api.chunk.start=-1", "a whole number from 1."),
        ("api.chunk.enable=1&api.chunk.size=0", r#""api.chunk.size" is not valid: it is a whole number from 1."#),
        (
            "api.chunk.enable=1&api.chunk.size=5&api.chunk.start=0",
            r#""api.chunk.start" is not valid: it is a whole number from 1."#,
        ),
        ("api.chunk.enable=1&api.chunk.size=-5", "a whole number from 1."),
        ("api.chunk.enable=1&api.chunk.size=99999999999999999999", "a whole number from 1."),
        ("api.chunk.enable=1&api.chunk.size=5&api.chunk.page=2", r#""api.chunk.page" is not valid: the names are"#),
        ("api.columns.enable=1", r#"The parameter "api.columns.a" is required."#),
        ("api.columns.enable=1&api.columns.b=", r#"The parameter "api.columns.b" is required."#),
    ] {
        let error = whm(&pairs(query)).unwrap_err().to_string();
        assert!(error.contains(expected), "{query}: {error}");
    }
}

#[test]
fn criteria_have_limits() {
    let many: String = (0..33).map(|id| format!("&api.filter.x{id}.arg0=1")).collect();
    let error = whm(&pairs(&format!("api.filter.enable=1{many}"))).unwrap_err().to_string();
    assert_eq!(error, r#"The parameter "api.filter" is not valid: there are more than 32 of them."#);
    let error =
        uapi(&pairs(&format!("api.filter_column=n&api.filter_term={}", "a".repeat(1025)))).unwrap_err().to_string();
    assert_eq!(error, r#"The parameter "api.filter_term" is not valid: it has more than 1024 bytes."#);
    let error = uapi(&pairs("api.filter_column=n&api.filter_type=matches&api.filter_term=(a{1000}){1000}"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("it is no regular expression that can be used"), "{error}");
}

#[test]
fn uapi_filters_by_each_type() {
    for (column, test, term, expected) in [
        ("domain", "contains", "example.c", "dc"),
        ("domain", "contains", "EXAMPLE.C", "dc"),
        ("user", "eq", "adam", "a"),
        ("user", "eq", "Adam", ""),
        ("user", "ne", "Adam", "dacb"),
        ("n", "eq", "7.0", "ab"),
        ("n", "ne", "7.0", "dc"),
        ("n", "eq", "-0", "d"),
        ("domain", "ne", "x", "dac"),
        ("n", "lt", "7", "d"),
        ("n", "gt", "7", "c"),
        ("n", "lt", "10", "dab"),
        ("user", "lt", "bert", "a"),
        ("user", "gt", "bert", "dc"),
        ("limit", "lt_handle_unlimited", "unlimited", "acb"),
        ("limit", "gt_handle_unlimited", "20", "dab"),
        ("limit", "gt_handle_unlimited", "Unlimited", "b"),
        ("user", "begins", "B", "b"),
        ("user", "ends", "A", "d"),
        ("user", "matches", "^...[lm]$", "ac"),
        ("domain", "defined", "", "dac"),
        ("domain", "undefined", "", "b"),
        ("absent", "undefined", "", "dacb"),
        ("*", "eq", "10", "c"),
    ] {
        let query = format!("api.filter_column={column}&api.filter_type={test}&api.filter_term={term}");
        assert_eq!(names(&by_uapi(&query)), expected, "{query}");
    }
}

#[test]
fn uapi_compares_numbers_only_when_both_sides_are_numbers() {
    let found = |test: &str, term: &str| {
        let records = [json!({"v": "9"}), json!({"v": "10"}), json!({"v": "x"})];
        let query = format!("api.filter_column=v&api.filter_type={test}&api.filter_term={term}");
        let found = uapi(&pairs(&query)).unwrap().apply(records, None);
        found.records.iter().map(|record| record["v"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("gt", "9"), ["10", "x"], "10 is more than 9, and the letter comes after the digit");
    assert_eq!(found("lt", "a"), ["9", "10"]);
    assert_eq!(found("eq", "9.0"), ["9"]);
}

#[test]
fn uapi_filters_and_sorts_can_be_disabled() {
    let filter = "api.filter_column=user&api.filter_term=adam";
    let sort = "api.sort_column=user";
    assert_eq!(names(&by_uapi(&format!("{filter}&api.filter=1"))), "a");
    assert_eq!(names(&by_uapi(&format!("{sort}&api.sort=1"))), "abcd");
    for query in [format!("{filter}&api.filter=0"), format!("{sort}&api.sort=0"), "api.filter=1&api.sort=1".to_owned()]
    {
        assert!(uapi(&pairs(&query)).unwrap().is_idle(), "{query}");
    }
}

#[test]
fn a_list_without_a_size_is_whole() {
    let found = by_whm("api.chunk.enable=1&api.chunk.start=-1&api.chunk.verbose=1");
    assert_eq!(names(&found), "dacb");
    assert_eq!(found.metadata["chunk"], json!({"start": 1, "current": 1, "size": 4, "chunks": 1, "records": 4}));
    for query in
        ["", "&api.paginate_start=-1", "&api.paginate_page=-1", "&api.paginate_start=1", "&api.paginate_page=1"]
    {
        let found = by_uapi(&format!("api.paginate=1{query}"));
        assert_eq!(names(&found), "dacb", "{query}");
        assert_eq!(
            found.metadata["paginate"],
            json!({"total_pages": 1, "total_results": 4, "current_page": 1, "results_per_page": 4, "start_result": 1})
        );
    }
}

#[test]
fn uapi_criteria_are_numbered() {
    let found = by_uapi(
        "api.filter_column_1=domain&api.filter_term_1=example&api.filter_column_2=n&api.filter_type_2=gt&api.filter_term_2=0",
    );
    assert_eq!(names(&found), "ac");
    assert_eq!(Value::Object(found.metadata), json!({"filter": {"records_before_filter": 4}}));
    let found = by_uapi("api.sort_column_10=user&api.sort_reverse_10=1&api.sort_column_9=n&api.sort_method_9=numeric");
    assert_eq!(names(&found), "dbac");
}

#[test]
fn uapi_paginates_by_start_or_by_page() {
    let expected = json!({"paginate": {"total_pages": 2, "total_results": 4, "current_page": 2, "results_per_page": 3, "start_result": 4}});
    for query in [
        "api.paginate=1&api.paginate_size=3&api.paginate_page=2",
        "api.paginate=1&api.paginate_size=3&api.paginate_start=4",
    ] {
        let found = by_uapi(query);
        assert_eq!(names(&found), "b");
        assert_eq!(Value::Object(found.metadata), expected);
    }
    assert!(uapi(&pairs("api.paginate_size=3&api.paginate=0")).unwrap().is_idle());
    let far = by_uapi("api.paginate=1&api.paginate_size=18446744073709551615&api.paginate_page=18446744073709551615");
    assert_eq!(names(&far), "");
}

#[test]
fn uapi_refuses_invalid_criteria() {
    for (query, expected) in [
        ("api.filter_term=x", r#"The parameter "api.filter_column" is required."#),
        ("api.filter_column_3=x", r#"The parameter "api.filter_term_3" is required."#),
        (
            "api.filter_column=x&api.filter_term=x&api.filter_type=has",
            r#""api.filter_type" is not valid: the types are contains, eq, ne,"#,
        ),
        (
            "api.filter_column=x&api.filter_term=%5B&api.filter_type=matches",
            r#""api.filter_term" is not valid: it is no regular expression"#,
        ),
        (
            "api.filter_column_x=x",
            r#""api.filter_column_x" is not valid: the names are api.filter_column, api.filter_type, api.filter_term, and"#,
        ),
        ("api.filter_column_1=x&api.filter_column_01=x", "it is given more than once."),
        ("api.sort_method=numeric", r#"The parameter "api.sort_column" is required."#),
        ("api.sort_column=n&api.sort_method=down", r#""api.sort_method" is not valid: the methods are"#),
        ("api.paginate=1&api.paginate_page=2", r#"The parameter "api.paginate_size" is required."#),
        (
            "api.paginate=1&api.paginate_start=-1&api.paginate_size=2",
            r#""api.paginate_start" is not valid: it is a whole"#,
        ),
        ("api.columns=1&api.columns_1=user", r#""api.columns" is not valid: UAPI has no selection of columns"#),
        ("api.columns.enable=1&api.columns.a=user", r#""api.columns.enable" is not valid: UAPI has no selection"#),
        ("api.filter=yes", r#""api.filter" is not valid: it is 0 or 1."#),
        ("api.filter=1&api.filter=0", r#""api.filter" is not valid: it is given more than once."#),
        ("api.paginate=1&api.paginate_size=x", r#""api.paginate_size" is not valid: it is a whole number from 1."#),
        ("api.paginate=on", r#""api.paginate" is not valid: it is 0 or 1."#),
        ("api.paginate_lines=1", r#""api.paginate_lines" is not valid: the names are"#),
    ] {
        let error = uapi(&pairs(query)).unwrap_err().to_string();
        assert!(error.contains(expected), "{query}: {error}");
    }
}

#[test]
fn a_window_is_known_in_advance_only_without_filters_and_sorting() {
    let chunk = "api.chunk.enable=1&api.chunk.size=2&api.chunk.start=2";
    let control = whm(&pairs(&format!("{chunk}&api.columns.enable=1&api.columns.a=n"))).unwrap();
    let window = control.window().unwrap();
    assert_eq!((window.skip, window.size.get()), (1, 2));
    let served = accounts()[1..3].to_vec();
    assert_eq!(control.apply_to_window(served, Some("user"), 4), control.apply(accounts(), Some("user")));
    assert_eq!(whm(&pairs(&format!("{chunk}&api.sort.enable=1&api.sort.a.field=n"))).unwrap().window(), None);
    assert_eq!(whm(&pairs(&format!("{chunk}&api.filter.enable=1&api.filter.a.arg0=n"))).unwrap().window(), None);
    assert_eq!(whm(&[]).unwrap().window(), None);
}

#[test]
fn records_become_a_map_by_their_key() {
    let records = vec![json!({"is_enabled": 1, "user": "b"}), json!({"user": "a"}), json!({"is_enabled": 0}), json!(1)];
    let map = Value::Object(entries_of(records, "user"));
    assert_eq!(map.to_string(), r#"{"b":{"is_enabled":1},"a":{}}"#);
}

proptest! {
    /// Walking through all chunks gives every record once, in the order of the whole.
    #[test]
    fn chunks_are_a_partition(count in 0_usize..60, size in 1_usize..20) {
        let records: Vec<Value> = (0..count).map(|n| json!({"n": n})).collect();
        let mut walked = Vec::new();
        for start in (1..=count.max(1)).step_by(size) {
            let query = format!("api.chunk.enable=1&api.chunk.size={size}&api.chunk.start={start}");
            let found = whm(&pairs(&query)).unwrap().apply(records.clone(), None);
            let is_last = found.metadata["chunk"]["current"].as_u64() >= found.metadata["chunk"]["chunks"].as_u64();
            prop_assert_eq!(is_last, start.saturating_add(size) > count);
            walked.extend(found.records);
        }
        prop_assert_eq!(walked, records);
    }

    #[test]
    fn any_parameters_are_read_or_refused(query in "(api[.](filter|sort|chunk|columns|paginate)[._]?(enable|a|b|column|term)?[._]?(1|field|arg0|type|start|size)?=[a-z0-9*]{0,3}&){0,8}") {
        let pairs = pairs(&query);
        let _ = whm(&pairs).map(|control| control.apply(accounts(), None));
        let _ = uapi(&pairs).map(|control| control.apply(accounts(), None));
    }
}
