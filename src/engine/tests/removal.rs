//! Removal of enrolments that cannot be read.

use super::super::enrolment::Unreadable;
use super::*;

const DAMAGED: &str = r#"{"format":2,"record":{"#;

/// Makes the enrolment, the used codes or the key of an enrolment unreadable.
fn break_enrolment(server: &Server, what: &str) -> Tfa {
    match what {
        "enrolment" => server.write_record(record::enrolment_key("example"), DAMAGED),
        "used codes" => server.write_record(record::used_codes_key("example"), DAMAGED),
        _ => {
            let keys = r#"{"format":1,"current":"key-other","keys":{"key-other":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}}"#;
            let original = std::fs::read_to_string(server.folder.path().join("tfa.key")).unwrap();
            let mut other: serde_json::Value = serde_json::from_str(&original).unwrap();
            let replaced: serde_json::Value = serde_json::from_str(keys).unwrap();
            other["current"] = replaced["current"].clone();
            other["keys"] = replaced["keys"].clone();
            std::fs::write(server.folder.path().join("tfa.key"), other.to_string()).unwrap();
        }
    }
    server.reopened()
}

#[test]
fn an_unreadable_enrolment_is_removed_on_demand_and_its_codes_stay_used() {
    for what in ["enrolment", "used codes", "key"] {
        let server = Server::new("");
        let (subject, secret) = server.enrolled("example");
        let code = server.code(&secret);
        let next = server.code_at(&secret, server.clock.now().as_secs() + 30);
        assert_eq!(server.login(&subject, &code), VERIFIED);
        let tfa = break_enrolment(&server, what);
        let (other, readable) = (Secret::generate(16).unwrap(), account("readable"));
        tfa.enrol(ROOT, &readable, &other, &server.code(&other)).unwrap();
        let both = [subject.clone(), readable.clone()];
        // Others are removed, and the unreadable one is reported.
        let failed = tfa.remove(ROOT, &both, Unreadable::Keep).unwrap();
        assert_eq!(failed.iter().map(|(subject, _)| subject.name()).collect::<Vec<_>>(), ["example"], "{what}");
        assert!(matches!(failed[0].1, Refusal::Unavailable(_)), "{what}");
        assert_eq!((tfa.is_enrolled(&readable).unwrap(), tfa.is_enrolled(&subject).unwrap()), (false, true), "{what}");
        assert_eq!(tfa.remove(ROOT, &both, Unreadable::Remove).unwrap(), [], "{what}");
        assert!(!tfa.is_enrolled(&subject).unwrap(), "{what}");
        for used in [&code, &next] {
            assert_eq!(tfa.enrol(ROOT, &subject, &secret, used), Err(Refusal::UsedCode), "{what}");
        }
        server.clock.advance(Duration::from_secs(60));
        tfa.enrol(ROOT, &subject, &secret, &server.code(&secret)).unwrap();
    }
}
