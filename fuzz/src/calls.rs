//! Sequences of C calls, decoded from bytes (`script`).
//!
//! Handles are open or NULL; strings are NULL, not UTF-8 or too long; strings are freed and handles closed in any legal
//! order. Promises: every answer is JSON or a documented number, no audit entry contains the secret, and no code is
//! accepted twice for one subject.

mod callbacks;
mod database;
mod script;
mod stateless;
mod symbols;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tfa::api::registry::Api;
use tfa::engine::Tfa;
use tfa::ffi::audit::tfa_set_audit;
use tfa::ffi::directory::tfa_set_lookup;
use tfa::ffi::handle::{tfa_close, tfa_free, tfa_open};
use tfa::ffi::http::tfa_http;
use tfa::ffi::login::tfa_login;
use tfa::ffi::uapi::tfa_uapi;
use tfa::ffi::whm::{tfa_twofactorauth_set_tfa_config_for_user, tfa_twofactorauth_verify_login, tfa_whmapi1};
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

use crate::server::SECRET;
use callbacks::{WAYS, audit, lookup};
use database::Database;
use script::{Script, Text, USUAL_ARGS};
use symbols::{UAPI, WHM, examples, names};

/// Calls of one sequence.
const LONGEST: usize = 64;
/// Handles that can be open at once.
const HANDLES: usize = 3;
/// The subjects that can have the secret.
const SUBJECTS: [&CStr; 3] = [c"example", c"user@example.com", c"root"];
/// The last step that was accepted, by subject.
type Used = BTreeMap<usize, u64>;

/// A handle, and its database.
type Slot = Option<(*mut Tfa, usize)>;

/// Names and arguments from the registry, for calls whose input holds none of its own.
struct Usual {
    /// Names of functions: of WHM API 1, and of UAPI.
    names: [Vec<&'static CStr>; 2],
    /// Arguments.
    args: Vec<&'static CStr>,
}

/// One sequence of calls.
struct Sequence<'a> {
    script: Script<'a>,
    usual: &'static Usual,
    databases: &'a [Database; 2],
    slots: [Slot; HANDLES],
    /// By database.
    used: [Used; 2],
    /// Answers that have not been freed.
    kept: Vec<*mut c_char>,
}

/// A sequence of calls. Handle 0 is open from the beginning.
pub fn calls(bytes: &[u8]) {
    // A connection stays with its thread, and libFuzzer has one.
    thread_local!(static DATABASES: [Database; 2] = [Database::new(), Database::new()]);
    DATABASES.with(|databases| run(databases, bytes));
}

fn run(databases: &[Database; 2], bytes: &[u8]) {
    static USUAL: OnceLock<Usual> = OnceLock::new();
    databases.iter().for_each(Database::reset);
    let mut sequence = Sequence {
        script: Script::new(bytes),
        usual: USUAL.get_or_init(|| Usual {
            names: [names(Api::Whm), names(Api::Uapi)],
            args: [&USUAL_ARGS[..], &examples(SECRET)].concat(),
        }),
        databases,
        slots: [None; HANDLES],
        used: Default::default(),
        kept: Vec::new(),
    };
    sequence.open(0, 0);
    for _ in 0..LONGEST {
        if sequence.script.is_over() {
            break;
        }
        sequence.step();
    }
    sequence.end();
}

impl Sequence<'_> {
    /// One call.
    fn step(&mut self) {
        match self.script.below(14) {
            0 => self.open_any(),
            1 => self.close_any(),
            2 => self.free_any(),
            3 => self.call_symbol(WHM, "metadata"),
            4 => self.call_symbol(UAPI, "status"),
            5 => self.whmapi1(),
            6 => self.uapi(),
            7 => self.http(),
            8 => self.login(),
            9 => self.verify_login(),
            10 => self.enrol(),
            11 => self.set_secret(),
            12 => self.register(),
            _ => self.kept.extend(stateless::call(&mut self.script)),
        }
    }

    fn open(&mut self, slot: usize, database: usize) {
        let config = &self.databases[database].config;
        let mut error = null_mut();
        // SAFETY: a string and a place for an error.
        let handle = unsafe { tfa_open(config.as_ptr(), &mut error) };
        assert!(!handle.is_null() && error.is_null(), "a good configuration opens, and no error is written");
        self.slots[slot] = Some((handle, database));
    }

    /// Opens a handle in a free slot, or with a configuration that is refused.
    fn open_any(&mut self) {
        let slot = self.script.below(HANDLES);
        match self.script.below(4) {
            database @ (0 | 1) if self.slots[slot].is_none() => self.open(slot, database),
            _ => self.open_bad(),
        }
    }

    /// Opens with a configuration that is refused. One from the input that is valid is left out: it could name any file.
    fn open_bad(&mut self) {
        let config = self.script.text(&[c"{\"stor\": 1}", c"[]", c"{\"store\": \"sqlite:/proc/none/tfa.db\"}"]);
        let config = config.or_empty();
        if tfa::engine::config::Config::parse(config.to_str().ok())
            .is_ok_and(|config| !config.database.starts_with("/proc"))
        {
            return;
        }
        let mut error = null_mut();
        // SAFETY: a string, and a place for an error or none.
        unsafe {
            assert!(tfa_open(config.as_ptr(), null_mut()).is_null());
            assert!(tfa_open(config.as_ptr(), &mut error).is_null());
        }
        let answer = self.keep(error);
        assert!(answer["error"].is_string());
    }

    /// Closes a handle, or NULL.
    fn close_any(&mut self) {
        let slot = self.script.below(HANDLES);
        let handle = self.slots[slot].take().map_or(null_mut(), |(handle, _)| handle);
        // SAFETY: the slot is empty now.
        unsafe { tfa_close(handle) };
    }

    /// Frees an answer, or NULL.
    fn free_any(&mut self) {
        let place = self.script.below(8);
        let string = if place < self.kept.len() { self.kept.swap_remove(place) } else { null_mut() };
        // SAFETY: it is no longer in the list.
        unsafe { tfa_free(string) };
    }

    /// A handle and its database; NULL for an empty slot.
    fn handle(&mut self) -> (*mut Tfa, usize) {
        let slot = self.script.below(HANDLES + 1);
        self.slots.get(slot).copied().flatten().unwrap_or((null_mut(), 0))
    }

    /// Stores an answer for a later free, and parses it.
    fn keep(&mut self, answer: *mut c_char) -> Value {
        self.kept.push(answer);
        read(answer)
    }

    fn call_symbol(&mut self, symbols: &[symbols::Symbol], outcome: &str) {
        let function = symbols[self.script.below(symbols.len())];
        let (handle, _) = self.handle();
        let (caller, args) = (self.script.caller(), self.script.text(&self.usual.args));
        // SAFETY: a handle that is open or NULL, and strings that outlive the call.
        let answer = unsafe { function(handle, caller.as_ptr(), args.as_ptr()) };
        assert!(!self.keep(answer)[outcome].is_null());
    }

    fn whmapi1(&mut self) {
        let (handle, _) = self.handle();
        let function = self.script.text(&self.usual.names[0]);
        let (caller, args) = (self.script.caller(), self.script.text(&self.usual.args));
        // SAFETY: as above.
        let answer = unsafe { tfa_whmapi1(handle, caller.as_ptr(), function.as_ptr(), args.as_ptr()) };
        let result = &self.keep(answer)["metadata"]["result"];
        assert!(*result == 0 || *result == 1);
    }

    fn uapi(&mut self) {
        let (handle, _) = self.handle();
        let module = self.script.text(&[c"TwoFactorAuth"]);
        let function = self.script.text(&self.usual.names[1]);
        let (caller, args) = (self.script.caller(), self.script.text(&self.usual.args));
        // SAFETY: as above.
        let answer = unsafe { tfa_uapi(handle, caller.as_ptr(), module.as_ptr(), function.as_ptr(), args.as_ptr()) };
        let status = &self.keep(answer)["status"];
        assert!(*status == 0 || *status == 1);
    }

    fn http(&mut self) {
        let (handle, _) = self.handle();
        let caller = self.script.caller();
        let method = self.script.text(&[c"GET", c"POST"]);
        let target = self.script.text(&[
            c"/json-api/twofactorauth_get_user_configs?api.version=1",
            c"/cpsess0123456789/xml-api/applist?api.version=1",
            c"/execute/TwoFactorAuth/get_user_configuration",
        ]);
        let body = self.script.text(&[c"user=example", c"{\"user\": \"example\"}"]);
        // SAFETY: as above.
        let answer = unsafe { tfa_http(handle, caller.as_ptr(), method.as_ptr(), target.as_ptr(), body.as_ptr()) };
        let answer = self.keep(answer);
        assert!([200, 400, 404, 500].contains(&answer["status"].as_u64().expect("a status")));
        if answer["content_type"] == "application/json" {
            serde_json::from_str::<Value>(answer["body"].as_str().expect("a body")).expect("the body is JSON");
        }
    }

    fn login(&mut self) {
        let (handle, database) = self.handle();
        let subject = self.script.below(SUBJECTS.len());
        let (step, code) = self.code();
        // SAFETY: as above.
        let verdict = unsafe { tfa_login(handle, SUBJECTS[subject].as_ptr(), code.as_ptr()) };
        assert!((-2..=2).contains(&verdict));
        assert!(!handle.is_null() || verdict == -2, "no login is answered without a handle");
        assert!(code.is_some() || verdict != 1, "no login is accepted without a code");
        if verdict == 1 {
            self.verified(database, subject, step);
        }
    }

    fn verify_login(&mut self) {
        let (handle, database) = self.handle();
        let subject = self.script.below(SUBJECTS.len());
        let (step, code) = self.code();
        let args = json!({"user": SUBJECTS[subject].to_str().unwrap(), "tfa_token": code.or_empty().to_string_lossy()});
        let args = CString::new(args.to_string()).unwrap();
        // SAFETY: as above.
        let answer = unsafe { tfa_twofactorauth_verify_login(handle, c"root".as_ptr(), args.as_ptr()) };
        if self.keep(answer)["data"]["verified"] == 1 {
            self.verified(database, subject, step);
        }
    }

    /// Records that the code of `step` was accepted. It is a newer one, whatever secrets the subject had in between.
    fn verified(&mut self, database: usize, subject: usize, step: Option<u64>) {
        let step = step.expect("only a computed code is accepted");
        let last = self.used[database].insert(subject, step);
        assert!(last.is_none_or(|last| step > last), "a code is accepted once");
    }

    /// Enrols `example`, as its own caller.
    fn enrol(&mut self) {
        let (handle, database) = self.handle();
        let (step, code) = self.code();
        let args = json!({"secret": SECRET, "tfa_token": code.or_empty().to_string_lossy()});
        let args = CString::new(args.to_string()).unwrap();
        // SAFETY: as above.
        let answer =
            unsafe { tfa::ffi::uapi::tfa_uapi_set_user_configuration(handle, SUBJECTS[0].as_ptr(), args.as_ptr()) };
        if self.keep(answer)["status"] == 1 {
            self.verified(database, 0, step);
        }
    }

    /// Sets the secret of a subject, or another secret of `example`, as root.
    fn set_secret(&mut self) {
        let (handle, _) = self.handle();
        let args = [
            c"{\"example\":{\"primary_account\":{\"secret\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"}}}",
            c"{\"example\":{\"email\":{\"user@example.com\":{\"secret\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"}}}}",
            c"{\"root\":{\"primary_account\":{\"secret\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"}}}",
            c"{\"example\":{\"primary_account\":{\"secret\":\"MZXW6YTBMZXW6YTB\"}}}",
        ];
        let args = args[self.script.below(args.len())];
        // SAFETY: as above.
        let answer = unsafe { tfa_twofactorauth_set_tfa_config_for_user(handle, c"root".as_ptr(), args.as_ptr()) };
        self.keep(answer);
    }

    /// Registers a callback, or none.
    fn register(&mut self) {
        let (handle, _) = self.handle();
        let context = self.script.below(WAYS) as *mut c_void;
        // SAFETY: a handle that is open or NULL, and callbacks that live for ever and read their context as a number.
        let done = unsafe {
            match self.script.below(4) {
                0 => tfa_set_lookup(handle, None, context),
                1 => tfa_set_lookup(handle, Some(lookup), context),
                2 => tfa_set_audit(handle, None, context),
                _ => tfa_set_audit(handle, Some(audit), context),
            }
        };
        assert!(done == 0 || done == 1 && !handle.is_null());
    }

    /// A code, and the step that it belongs to if it is one of [`SECRET`].
    fn code(&mut self) -> (Option<u64>, Text) {
        let offset = match self.script.below(8) {
            offset @ 0..=4 => offset as u64,
            5 => return (None, Text::Null),
            6 => return (None, Text::Own(c"abcd-efgh-ijkl-mnop".to_owned())),
            _ => return (None, self.script.text(&[c"", c" "])),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let step = now / 30 + offset - 2;
        let code = CodeFormat::default().code(Secret::from_base32(SECRET).unwrap().bytes(), step);
        (Some(step), Text::Own(CString::new(format!("{code:06}")).unwrap()))
    }

    /// Frees the answers and closes the handles that are left.
    fn end(self) {
        // SAFETY: each is in the list once, and not used again.
        unsafe {
            self.kept.into_iter().for_each(|string| tfa_free(string));
            self.slots.into_iter().flatten().for_each(|(handle, _)| tfa_close(handle));
        }
    }
}

/// Parses an answer.
fn read(answer: *const c_char) -> Value {
    assert!(!answer.is_null(), "there is always an answer");
    // SAFETY: every answer is a string, and is not freed yet.
    let text = unsafe { CStr::from_ptr(answer) }.to_str().expect("an answer is UTF-8");
    serde_json::from_str(text).expect("an answer is JSON")
}
