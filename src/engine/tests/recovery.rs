//! Recovery codes.

use super::*;

#[test]
fn each_recovery_code_is_accepted_once() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    assert_eq!(
        server.tfa.generate_recovery_codes(ROOT, &account("other")).err(),
        Some(Refusal::NotConfigured("other".into()))
    );
    let old = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    let codes = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(
        reason(server.login(&subject, &old[0])),
        Refusal::InvalidCode,
        "generating new codes revokes the old ones"
    );
    assert_eq!(server.login(&subject, &codes[0]), Verdict::Verified(Method::Recovery));
    let used = codes[0].to_string();
    let codes = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    assert_eq!(reason(server.login(&subject, &used)), Refusal::InvalidCode, "it is of an earlier set");
    for (used, code) in codes.iter().enumerate() {
        assert_eq!(server.login(&subject, &code.to_uppercase().replace('-', " ")), Verdict::Verified(Method::Recovery));
        // Sent twice, it is reported as used, however often, and not counted as invalid.
        for _ in 0..6 {
            assert_eq!(reason(server.login(&subject, code)), Refusal::UsedCode);
        }
        assert_eq!(server.tfa.status(&subject).unwrap().recovery_codes_left, 9 - used);
    }
}
