//! Sealing: secrets are on disk only under a key that is not in the database.
//!
//! XChaCha20-Poly1305 with a random nonce; the subject and the key's id are associated data, so a sealed secret opens for
//! its own subject and under its own key alone. The key file is JSON, `{"format":2,"store":ID,"current":ID,"keys":
//! {ID:BASE64}}`. `store` is the id of the store that it belongs to; format 1 has none. The current key is the newest, and a
//! secret opens as long as its key is in the file. The engine decides which key seals and when one is retired
//! (`engine::keys`).
//!
//! Promises: a missing or wrong key is an error that names its id, never an empty secret and never data loss; keys are
//! wiped when dropped; no message contains a key or a secret.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Unavailable, private};
use crate::otp::random;
use crate::otp::secret::Secret;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The format of key files that this code writes.
const FORMAT: u32 = 2;
/// The format without a store id, which it reads too.
const WITHOUT_STORE: u32 = 1;

/// A sealed secret, as records hold it: the key's id, and nonce and box in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    key: String,
    sealed: String,
}

impl Sealed {
    /// The id of the key that it is under.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The keys of one key file.
#[derive(Clone)]
pub struct KeyRing {
    /// The store that the keys belong to; `None` in a key file of the first format.
    store: Option<String>,
    current: String,
    keys: BTreeMap<String, Zeroizing<[u8; KEY_BYTES]>>,
}

/// The key file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    current: String,
    keys: BTreeMap<String, String>,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.keys.values_mut().for_each(Zeroize::zeroize);
    }
}

impl KeyRing {
    /// Reads the key file. `None`: it does not exist.
    pub fn read(path: &Path) -> Result<Option<Self>, Unavailable> {
        if private::check(path)?.is_none() {
            return Ok(None);
        }
        private::check_directory(path)?;
        let text = Zeroizing::new(
            fs::read(path)
                .map_err(|error| Unavailable(format!("The key file {} cannot be read: {error}", path.display())))?,
        );
        let file = serde_json::from_slice(&text).ok();
        let ring = file.and_then(|file| Self::from_file(&file));
        ring.map(Some)
            .ok_or_else(|| Unavailable(format!("The key file {} is damaged. Restore it from a backup", path.display())))
    }

    /// Creates the key file of a store, with one new key. A file that exists by then is an error.
    pub fn create(path: &Path, store: &str) -> Result<Self, Unavailable> {
        let ring = Self::generate()?.of_store(store);
        match private::create(path, &ring.to_file()?)? {
            true => Ok(ring),
            false => Err(Unavailable(format!("The key file {} exists already", path.display()))),
        }
    }

    /// The id of the store that the keys belong to, unless the key file is of the first format.
    pub fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// These keys as the keys of the store called `id`.
    pub fn of_store(self, id: &str) -> Self {
        KeyRing { store: Some(id.to_owned()), ..self }
    }

    /// Replaces the keys in the key file, on disk before this returns.
    pub fn write(&self, path: &Path) -> Result<(), Unavailable> {
        private::replace(path, &self.to_file()?)
    }

    /// The id of the newest key.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// The ids of all keys, in order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Whether there is a key of that id.
    pub fn has(&self, id: &str) -> bool {
        self.keys.contains_key(id)
    }

    /// These keys and a new one, which is the current one.
    pub fn with_new_key(&self) -> Result<Self, Unavailable> {
        let mut ring = Self::generate()?;
        // A new key never replaces an old one, though ids are random.
        ring.keys.extend(self.keys.clone());
        Ok(KeyRing { store: self.store.clone(), ..ring })
    }

    /// The current key alone.
    pub fn current_alone(&self) -> Self {
        let mut ring = self.clone();
        ring.keys.retain(|id, _| *id == self.current);
        ring
    }

    fn generate() -> Result<Self, Unavailable> {
        let (mut id, mut key) = ([0u8; 4], Zeroizing::new([0u8; KEY_BYTES]));
        random::fill(&mut id)
            .and_then(|()| random::fill(key.as_mut()))
            .map_err(|error| Unavailable(error.to_string()))?;
        let current = format!("key-{}", HEXLOWER.encode(&id));
        Ok(KeyRing { store: None, keys: BTreeMap::from([(current.clone(), key)]), current })
    }

    fn from_file(file: &KeyFile) -> Option<Self> {
        let decode = |(id, text): (&String, &String)| {
            let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).ok()?);
            Some((id.clone(), Zeroizing::new(<[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?)))
        };
        let keys: BTreeMap<_, _> = file.keys.iter().map(decode).collect::<Option<_>>()?;
        let is_whole = match file.format {
            FORMAT => file.store.is_some(),
            WITHOUT_STORE => file.store.is_none(),
            _ => false,
        };
        (is_whole && keys.contains_key(&file.current)).then(|| KeyRing {
            store: file.store.clone(),
            current: file.current.clone(),
            keys,
        })
    }

    fn to_file(&self) -> Result<Zeroizing<Vec<u8>>, Unavailable> {
        let keys = self.keys.iter().map(|(id, key)| (id.clone(), BASE64.encode(key.as_ref()))).collect();
        let format = if self.store.is_some() { FORMAT } else { WITHOUT_STORE };
        let file = KeyFile { format, store: self.store.clone(), current: self.current.clone(), keys };
        serde_json::to_vec_pretty(&file)
            .map(Zeroizing::new)
            .map_err(|error| Unavailable(format!("The key file cannot be written: {error}")))
    }

    /// Seals a subject's secret under the key called `id`.
    pub fn seal(&self, id: &str, subject: &str, secret: &Secret) -> Result<Sealed, Unavailable> {
        let mut nonce = [0u8; NONCE_BYTES];
        random::fill(&mut nonce).map_err(|error| Unavailable(error.to_string()))?;
        let payload = Payload { msg: secret.bytes(), aad: &associated(id, subject) };
        let sealed = self.cipher(id)?.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Unavailable("The secret cannot be sealed".to_owned()))?;
        Ok(Sealed { key: id.to_owned(), sealed: BASE64.encode(&[&nonce[..], &sealed].concat()) })
    }

    /// Opens a subject's secret.
    pub fn open(&self, subject: &str, sealed: &Sealed) -> Result<Secret, Unavailable> {
        let cipher = self.cipher(&sealed.key)?;
        let bytes = BASE64.decode(sealed.sealed.as_bytes()).ok();
        let parts = bytes.as_deref().and_then(|bytes| bytes.split_first_chunk::<NONCE_BYTES>());
        let opened = parts.and_then(|(nonce, msg)| {
            cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad: &associated(&sealed.key, subject) }).ok()
        });
        opened.map(Secret::from_bytes).ok_or_else(|| {
            Unavailable(format!(
                "The secret of \"{subject}\" does not open with the key \"{}\": the record or the key was altered",
                sealed.key
            ))
        })
    }

    fn cipher(&self, id: &str) -> Result<XChaCha20Poly1305, Unavailable> {
        let key = self.keys.get(id).ok_or_else(|| {
            Unavailable(format!("The key \"{id}\" is not in the key file. Restore the key file that has it"))
        })?;
        Ok(XChaCha20Poly1305::new((&**key).into()))
    }
}

/// What a box is bound to: its purpose, its key's id and its subject. Neither id nor subject holds a NUL.
fn associated(key: &str, subject: &str) -> Vec<u8> {
    [b"libtfa secret".as_slice(), key.as_bytes(), subject.as_bytes()].join(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::from_bytes(b"12345678901234567890".to_vec())
    }

    fn sealed_by(ring: &KeyRing) -> Sealed {
        ring.seal(ring.current(), "example", &secret()).unwrap()
    }

    #[test]
    fn opens_for_its_subject_alone() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(&ring.current, "example", &secret()).unwrap();
        assert_eq!(ring.open("example", &sealed).unwrap().bytes(), secret().bytes());
        assert!(ring.open("other", &sealed).is_err());
        assert_ne!(ring.seal(&ring.current, "example", &secret()).unwrap(), sealed, "a nonce is used once");
    }

    #[test]
    fn a_sealed_secret_is_bound_to_its_key_id() {
        let mut ring = KeyRing::generate().unwrap();
        let sealed = sealed_by(&ring);
        ring.keys.insert("other".to_owned(), ring.keys[&ring.current].clone());
        let relabelled = Sealed { key: "other".to_owned(), ..sealed.clone() };
        assert!(ring.open("example", &relabelled).is_err());
        assert!(ring.open("example", &sealed).is_ok());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal(&ring.current, "example", &secret()).unwrap();
        let bytes = BASE64.decode(sealed.sealed.as_bytes()).unwrap();
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            let altered = Sealed { sealed: BASE64.encode(&altered), ..sealed.clone() };
            assert!(ring.open("example", &altered).is_err());
        }
        assert!(ring.open("example", &Sealed { sealed: "?".into(), ..sealed }).is_err());
    }

    #[test]
    fn a_missing_key_is_named() {
        let ring = KeyRing::generate().unwrap();
        assert_eq!(
            (sealed_by(&ring).key(), ring.has(ring.current()), ring.has("other")),
            (ring.current(), true, false)
        );
        let sealed = sealed_by(&KeyRing::generate().unwrap());
        let error = KeyRing::generate().unwrap().open("example", &sealed).unwrap_err();
        assert!(error.0.contains(&sealed.key), "{error}");
    }

    #[test]
    fn the_file_is_read_back_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.key");
        assert!(KeyRing::read(&path).unwrap().is_none());
        let sealed = sealed_by(&KeyRing::create(&path, "store").unwrap());
        assert!(KeyRing::create(&path, "store").is_err(), "an existing file is never replaced");
        let again = KeyRing::read(&path).unwrap().unwrap();
        assert_eq!(again.store(), Some("store"));
        assert_eq!(again.open("example", &sealed).unwrap().bytes(), secret().bytes());
    }

    #[test]
    fn a_wrong_key_is_named() {
        let ring = KeyRing::generate().unwrap();
        let sealed = sealed_by(&ring);
        let mut other = ring.clone();
        other.keys.insert(ring.current.clone(), Zeroizing::new([7; KEY_BYTES]));
        let error = other.open("example", &sealed).unwrap_err();
        assert!(error.0.contains(&sealed.key), "{error}");
    }

    #[test]
    fn a_new_key_joins_the_old_ones_and_outlives_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.key");
        let old = KeyRing::create(&path, "store").unwrap();
        old.with_new_key().unwrap().write(&path).unwrap();
        let both = KeyRing::read(&path).unwrap().unwrap();
        assert_eq!((both.ids().len(), both.has(old.current()), both.current() == old.current()), (2, true, false));
        assert_eq!(both.open("example", &sealed_by(&old)).unwrap().bytes(), secret().bytes());
        both.current_alone().write(&path).unwrap();
        let new = KeyRing::read(&path).unwrap().unwrap();
        assert_eq!(new.ids().collect::<Vec<_>>(), [both.current()]);
        assert_eq!(new.open("example", &sealed_by(&both)).unwrap().bytes(), secret().bytes());
        assert!(new.open("example", &sealed_by(&old)).is_err());
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tfa.key");
        let key = BASE64.encode(&[7; KEY_BYTES]);
        for text in [
            "".to_owned(),
            "{}".to_owned(),
            format!(r#"{{"format":1,"current":"a","keys":{{"b":"{key}"}}}}"#),
            format!(r#"{{"format":2,"current":"a","keys":{{"a":"{key}"}}}}"#),
            format!(r#"{{"format":1,"store":"s","current":"a","keys":{{"a":"{key}"}}}}"#),
            format!(r#"{{"format":3,"store":"s","current":"a","keys":{{"a":"{key}"}}}}"#),
            r#"{"format":1,"current":"a","keys":{"a":"c2hvcnQ="}}"#.to_owned(),
        ] {
            let _ = fs::remove_file(&path);
            private::create(&path, text.as_bytes()).unwrap();
            assert!(KeyRing::read(&path).err().unwrap().0.contains("damaged"), "{text}");
        }
    }
}
