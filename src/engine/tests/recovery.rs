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
    for (used, code) in codes.iter().enumerate() {
        assert_eq!(server.login(&subject, &code.to_uppercase().replace('-', " ")), Verdict::Verified(Method::Recovery));
        assert_eq!(reason(server.login(&subject, code)), Refusal::InvalidCode);
        assert_eq!(server.tfa.status(&subject).unwrap().recovery_codes_left, 9 - used);
        server.tfa.unlock(ROOT, &subject).unwrap();
    }
}
