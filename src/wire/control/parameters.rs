//! The parameters of output control, read into a [`Control`].
//!
//! Other names that begin with `api.`, such as `api.version`, are not for output control and are left alone.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use super::filter::{self, Criterion};
use super::sort::{Method, SortBy};
use super::value::{Parameter, not_valid};
use super::{Control, Dialect, Window};
use crate::wire::ParameterError;

/// The most criteria of one kind in a request.
const MAX_CRITERIA: usize = 32;
/// The longest value of a criterion, in bytes.
const MAX_VALUE: usize = 1024;

/// Parameters by the last part of their names.
type Parts<'a> = BTreeMap<&'a str, Parameter<'a>>;
/// Criteria: their parts, and what their parameters' names have in common: `api.filter.a` or `_1`.
type Criteria<'a> = Vec<(String, Parts<'a>)>;

/// The output control of WHM: `api.filter`, `api.sort`, `api.chunk` and `api.columns`, each of which applies only when its
/// `.enable` is 1.
///
/// # Errors
/// [`ParameterError::Required`] and [`ParameterError::NotValid`], which name the parameter.
pub fn whm(parameters: &[(String, String)]) -> Result<Control, ParameterError> {
    let filters = enabled(parameters, "api.filter")?.map(|sent| whm_filters(&sent)).transpose()?;
    let sorts = enabled(parameters, "api.sort")?.map(|sent| whm_sorts(&sent)).transpose()?.unwrap_or_default();
    let window = enabled(parameters, "api.chunk")?.map(|sent| whm_chunk(&sent)).transpose()?;
    let columns = enabled(parameters, "api.columns")?.map(|sent| whm_columns(&sent)).transpose()?;
    Ok(Control { dialect: Dialect::Whm, filters, sorts, window, columns })
}

/// The parameters with this prefix, if its `.enable` is 1. `.verbose` requests metadata, which is always returned.
fn enabled<'a>(parameters: &'a [(String, String)], prefix: &str) -> Result<Option<Parts<'a>>, ParameterError> {
    let mut sent = collect(parameters, |name| name.strip_prefix(prefix)?.strip_prefix('.'))?;
    sent.remove("verbose").map(boolean).transpose()?;
    let is_enabled = sent.remove("enable").map(boolean).transpose()?.unwrap_or(false);
    Ok(is_enabled.then_some(sent))
}

/// Parameters by what `rest_of` leaves of their names. A name that is given twice is an error.
fn collect<'a>(
    parameters: &'a [(String, String)],
    rest_of: impl Fn(&'a str) -> Option<&'a str>,
) -> Result<Parts<'a>, ParameterError> {
    let mut found = BTreeMap::new();
    for (name, value) in parameters {
        let Some(rest) = rest_of(name) else { continue };
        if value.len() > MAX_VALUE {
            return Err(not_valid(name, format!("it has more than {MAX_VALUE} bytes.")));
        }
        if found.insert(rest, Parameter { name, value }).is_some() {
            return Err(not_valid(name, "it is given more than once."));
        }
    }
    Ok(found)
}

/// The parts of the criteria `a`, `b`, … in this order: from `a.field` to the part `field` of `a`.
fn whm_criteria<'a>(prefix: &str, parts: &[&str], sent: &Parts<'a>) -> Result<Criteria<'a>, ParameterError> {
    let mut criteria: BTreeMap<(usize, &str), BTreeMap<_, _>> = BTreeMap::new();
    for (rest, sent) in sent {
        match rest.split_once('.') {
            Some((id, part)) if !id.is_empty() && parts.contains(&part) => {
                criteria.entry((id.len(), id)).or_default().insert(part, *sent);
            }
            _ => {
                let names = parts.join(&format!(", {prefix}.a."));
                return Err(not_valid(sent.name, format!("the names are {prefix}.enable, {prefix}.a.{names}.")));
            }
        }
    }
    limit(criteria.len(), prefix)?;
    Ok(criteria.into_iter().map(|((_, id), parts)| (format!("{prefix}.{id}"), parts)).collect())
}

fn whm_filters(sent: &Parts<'_>) -> Result<Vec<Criterion>, ParameterError> {
    let criterion = |(name, parts): (String, Parts<'_>)| {
        let field = parts.get("field").map(|sent| sent.value).filter(|field| !field.is_empty()).unwrap_or("*");
        let argument = required(parts.get("arg0"), || format!("{name}.arg0"))?;
        filter::whm(field, parts.get("type").copied(), argument)
    };
    whm_criteria("api.filter", &["field", "type", "arg0"], sent)?.into_iter().map(criterion).collect()
}

fn whm_sorts(sent: &Parts<'_>) -> Result<Vec<SortBy>, ParameterError> {
    let sort = |(name, parts): (String, Parts<'_>)| {
        let field = required(parts.get("field"), || format!("{name}.field"))?;
        sort_by(field, parts.get("method"), parts.get("reverse"))
    };
    whm_criteria("api.sort", &["field", "method", "reverse"], sent)?.into_iter().map(sort).collect()
}

fn whm_chunk(sent: &Parts<'_>) -> Result<Window, ParameterError> {
    if let Some((_, sent)) = sent.iter().find(|(rest, _)| !matches!(**rest, "size" | "start")) {
        return Err(not_valid(sent.name, "the names are api.chunk.enable, api.chunk.size, api.chunk.start."));
    }
    if !sent.contains_key("size") && sent.get("start").is_some_and(is_all) {
        return Ok(Window::ALL);
    }
    let size = count(required(sent.get("size"), || "api.chunk.size".to_owned())?)?;
    Ok(Window { skip: skip_to(sent.get("start"))?, size })
}

fn whm_columns(sent: &Parts<'_>) -> Result<Vec<String>, ParameterError> {
    limit(sent.len(), "api.columns")?;
    if sent.is_empty() {
        return Err(ParameterError::Required("api.columns.a".to_owned()));
    }
    sent.values()
        .map(|column| required(Some(column), || column.name.to_owned()).map(|column| column.value.to_owned()))
        .collect()
}

/// The output control of UAPI: `api.filter_…` and `api.sort_…`, which apply unless `api.filter` or `api.sort` is 0, and
/// `api.paginate…`, which applies only when `api.paginate` is 1. UAPI has no columns here.
///
/// # Errors
/// [`ParameterError::Required`] and [`ParameterError::NotValid`], which name the parameter.
pub fn uapi(parameters: &[(String, String)]) -> Result<Control, ParameterError> {
    if let Some((name, _)) = parameters.iter().find(|(name, _)| name.starts_with("api.columns")) {
        return Err(not_valid(name, "UAPI has no selection of columns here."));
    }
    let filters = uapi_criteria("api.filter", &["column", "type", "term"], parameters)?.into_iter().map(uapi_filter);
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let sorts = uapi_criteria("api.sort", &["column", "method", "reverse"], parameters)?.into_iter().map(uapi_sort);
    let sorts = sorts.collect::<Result<Vec<_>, _>>()?;
    let filters = (!filters.is_empty()).then_some(filters);
    Ok(Control { dialect: Dialect::Uapi, filters, sorts, window: uapi_page(parameters)?, columns: None })
}

/// The parts of the criteria in the order of their numbers, the one without a number first; none if the prefix itself is 0.
fn uapi_criteria<'a>(
    prefix: &str,
    parts: &[&str],
    parameters: &'a [(String, String)],
) -> Result<Criteria<'a>, ParameterError> {
    let switch = collect(parameters, |name| (name == prefix).then_some(""))?;
    if !switch.get("").copied().map(boolean).transpose()?.unwrap_or(true) {
        return Ok(Vec::new());
    }
    let sent = collect(parameters, |name| name.strip_prefix(prefix)?.strip_prefix('_'))?;
    let mut criteria: BTreeMap<Option<u32>, (String, Parts<'a>)> = BTreeMap::new();
    for (rest, sent) in sent {
        let (part, number) = match rest.split_once('_') {
            Some((part, number)) => (part, Some(number)),
            None => (rest, None),
        };
        let (Ok(order), true) = (number.map(str::parse).transpose(), parts.contains(&part)) else {
            let names = parts.join(&format!(", {prefix}_"));
            return Err(not_valid(
                sent.name,
                format!("the names are {prefix}_{names}, and the same with _1, _2 and so on."),
            ));
        };
        let suffix = number.map(|number| format!("_{number}")).unwrap_or_default();
        let criterion = criteria.entry(order).or_insert_with(|| (suffix, BTreeMap::new()));
        if criterion.1.insert(part, sent).is_some() {
            return Err(not_valid(sent.name, "it is given more than once."));
        }
    }
    limit(criteria.len(), prefix)?;
    Ok(criteria.into_values().collect())
}

fn uapi_filter((suffix, parts): (String, Parts<'_>)) -> Result<Criterion, ParameterError> {
    let column = required(parts.get("column"), || format!("api.filter_column{suffix}"))?;
    let term = parts.get("term").copied();
    filter::uapi(
        column.value,
        parts.get("type").copied(),
        term.ok_or_else(|| ParameterError::Required(format!("api.filter_term{suffix}"))),
    )
}

fn uapi_sort((suffix, parts): (String, Parts<'_>)) -> Result<SortBy, ParameterError> {
    let column = required(parts.get("column"), || format!("api.sort_column{suffix}"))?;
    sort_by(column, parts.get("method"), parts.get("reverse"))
}

fn uapi_page(parameters: &[(String, String)]) -> Result<Option<Window>, ParameterError> {
    let sent = collect(parameters, |name| name.strip_prefix("api.paginate"))?;
    if let Some((_, sent)) = sent.iter().find(|(rest, _)| !matches!(**rest, "" | "_start" | "_size" | "_page")) {
        return Err(not_valid(
            sent.name,
            "the names are api.paginate, api.paginate_start, api.paginate_size, api.paginate_page.",
        ));
    }
    if !sent.get("").copied().map(boolean).transpose()?.unwrap_or(false) {
        return Ok(None);
    }
    let first = sent.get("_start").or(sent.get("_page"));
    if !sent.contains_key("_size") && first.is_none_or(|first| is_all(first) || first.value == "1") {
        return Ok(Some(Window::ALL));
    }
    let size = count(required(sent.get("_size"), || "api.paginate_size".to_owned())?)?;
    // A start is more exact than a page.
    let skip = match sent.get("_page").filter(|_| !sent.contains_key("_start")) {
        Some(page) => skip_to(Some(page))?.saturating_mul(size.get()),
        None => skip_to(sent.get("_start"))?,
    };
    Ok(Some(Window { skip, size }))
}

/// One field to sort by, in either dialect.
fn sort_by(
    field: Parameter<'_>,
    method: Option<&Parameter<'_>>,
    reverse: Option<&Parameter<'_>>,
) -> Result<SortBy, ParameterError> {
    let method = method.map(|sent| Method::named(*sent)).transpose()?.unwrap_or(Method::Lexicographic);
    let reverse = reverse.map(|sent| boolean(*sent)).transpose()?.unwrap_or(false);
    Ok(SortBy { field: field.value.to_owned(), method, reverse })
}

/// A parameter that is required and must not be empty.
fn required<'a>(sent: Option<&Parameter<'a>>, name: impl FnOnce() -> String) -> Result<Parameter<'a>, ParameterError> {
    sent.copied().filter(|sent| !sent.value.is_empty()).ok_or_else(|| ParameterError::Required(name()))
}

fn boolean(sent: Parameter<'_>) -> Result<bool, ParameterError> {
    match sent.value {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(not_valid(sent.name, "it is 0 or 1.")),
    }
}

fn count(sent: Parameter<'_>) -> Result<NonZeroUsize, ParameterError> {
    sent.value.parse().map_err(|_| not_valid(sent.name, "it is a whole number from 1."))
}

/// Whether a start means the whole list.
fn is_all(start: &Parameter<'_>) -> bool {
    start.value == "-1"
}

/// How many records come before the one at `start`, counted from 1; none without a start.
fn skip_to(start: Option<&Parameter<'_>>) -> Result<usize, ParameterError> {
    start.map_or(Ok(0), |sent| count(*sent).map(|start| start.get().saturating_sub(1)))
}

fn limit(criteria: usize, prefix: &str) -> Result<(), ParameterError> {
    if criteria > MAX_CRITERIA {
        Err(not_valid(prefix, format!("there are more than {MAX_CRITERIA} of them.")))
    } else {
        Ok(())
    }
}
