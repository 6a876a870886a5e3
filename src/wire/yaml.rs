//! Answers as YAML (contract section 8): `---`, two-space indent, keys sorted.
//!
//! Promise: a YAML 1.1 parser (PyYAML, YAML::XS) and a YAML 1.2 parser read the values of the JSON, whatever a name or a
//! text looks like: `no`, `null`, `1e3`, `012345`, `- a`, `a: b`, control characters.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// The error of writing YAML.
pub type YamlError = serde_saphyr::SerializeError;

/// The YAML document of an answer, with its `---` and a newline at the end.
///
/// # Errors
/// None that a caller could cause: the emitter's type says that writing can fail.
pub fn to_string(value: &Value) -> Result<String, YamlError> {
    // Block scalars are shorter to read, but one that begins with a tab is not read back by libyaml.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut text = String::from("---\n");
    serde_saphyr::to_fmt_writer_with_options(&mut text, &Sorted(value), options)?;
    Ok(text)
}

/// A value that is written with the keys of its maps sorted.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(entries) => serialize_sorted(entries, serializer),
            Value::Array(members) => serializer.collect_seq(members.iter().map(Sorted)),
            scalar => scalar.serialize(serializer),
        }
    }
}

fn serialize_sorted<S: Serializer>(entries: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let mut map = serializer.serialize_map(Some(sorted.len()))?;
    for (key, value) in sorted {
        map.serialize_entry(key, &Sorted(value))?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::wire::oracle;

    fn written(value: &Value) -> String {
        to_string(value).unwrap()
    }

    #[test]
    fn writes_the_documented_form() {
        let answer = json!({
            "metadata": {"version": 1, "result": 1, "reason": "OK", "command": "c"},
            "data": {"users_modified": ["example", "no"], "failed": {}, "otpauth_str": null}
        });
        assert_eq!(
            written(&answer),
            "---\ndata:\n  failed: {}\n  otpauth_str: null\n  users_modified:\n  - example\n  - \"no\"\nmetadata:\n  command: c\n  reason: OK\n  result: 1\n  version: 1\n"
        );
    }

    /// Reads pairs of a JSON value and our YAML text with libyaml's and Python's own parser, answers the pairs that differ.
    const PYYAML: &str = r#"
import json, sys, yaml

def same(value, text):
    want = json.dumps(value, sort_keys=True)
    return all(json.dumps(yaml.load(text, loader), sort_keys=True) == want for loader in (yaml.SafeLoader, yaml.CSafeLoader))

print(json.dumps([[value, text] for value, text in json.load(sys.stdin) if not same(value, text)]))
"#;

    /// The same with YAML::XS. Perl tells numbers from texts by how they were last used, so that both are texts here.
    const YAML_XS: &str = r#"
use strict; use warnings; use JSON::PP; use YAML::XS;
$YAML::XS::Boolean = 'JSON::PP';
my $json = JSON::PP->new->utf8->ascii->canonical->allow_nonref;
sub texts {
    my ($value) = @_;
    return [map { texts($_) } @$value] if ref $value eq 'ARRAY';
    return {map { $_ => texts($value->{$_}) } keys %$value} if ref $value eq 'HASH';
    return ref $value || !defined $value ? $value : "$value";
}
my $pairs = $json->decode(do { local $/; <STDIN> });
my @differ;
for my $pair (@$pairs) {
    my ($value, $text) = @$pair;
    utf8::encode($text);
    push @differ, $pair if $json->encode(texts($value)) ne $json->encode(texts(YAML::XS::Load($text)));
}
print $json->encode(\@differ);
"#;

    fn pairs(values: &[Value]) -> Value {
        values.iter().map(|value| json!([value, written(value)])).collect()
    }

    #[test]
    fn real_parsers_read_back_hard_texts() {
        let pairs = pairs(&oracle::hard_values());
        assert_eq!(oracle::python(PYYAML, &pairs), json!([]));
        assert_eq!(oracle::perl(YAML_XS, &pairs), json!([]));
    }

    #[test]
    fn the_oracles_see_a_difference() {
        let pairs = json!([["no", "no"], [null, "\"null\""], ["x", "x"]]);
        assert_eq!(oracle::python(PYYAML, &pairs), json!([["no", "no"], [null, "\"null\""]]));
        assert_eq!(oracle::perl(YAML_XS, &pairs), json!([[null, "\"null\""]]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 300, ..ProptestConfig::default() })]
        #[test]
        fn real_parsers_read_back_what_the_json_says(values in oracle::values(150)) {
            let pairs = pairs(&values);
            prop_assert_eq!(oracle::python(PYYAML, &pairs), json!([]));
            prop_assert_eq!(oracle::perl(YAML_XS, &pairs), json!([]));
        }
    }
}
