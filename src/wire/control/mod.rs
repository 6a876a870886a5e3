//! Output control: filters, sorting, chunks and columns of a list (contract section 7).
//!
//! The parameters of two dialects, `whm` and `uapi`, are parsed into one [`Control`]. A source that can serve a part of its
//! list need not read the rest: see [`Control::window`].
//!
//! A record is a JSON map. Filters are applied first, and all must pass; then sorting, then the chunk, then the columns.
//!
//! Promise: a criterion that is not valid is an error that names its parameter; none is ignored.

mod filter;
mod parameters;
mod sort;
mod value;

use std::num::NonZeroUsize;

use serde_json::{Map, Value, json};

pub use parameters::{uapi, whm};

use filter::Criterion;
use sort::SortBy;

/// The API whose names the metadata has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Whm,
    Uapi,
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many records come before it.
    pub skip: usize,
    /// The most records it has.
    pub size: NonZeroUsize,
}

/// The output control of a request.
#[derive(Debug)]
pub struct Control {
    dialect: Dialect,
    filters: Option<Vec<Criterion>>,
    sorts: Vec<SortBy>,
    window: Option<Window>,
    columns: Option<Vec<String>>,
}

/// Records after output control.
#[derive(Debug, PartialEq)]
pub struct Controlled {
    /// The records that remain, in order.
    pub records: Vec<Value>,
    /// Additions to the answer's metadata: `filter`, `chunk` or `paginate`, as requested.
    pub metadata: Map<String, Value>,
}

impl Control {
    /// Whether nothing was requested, so that the list can be sent as it is.
    pub fn is_idle(&self) -> bool {
        self.filters.is_none() && self.sorts.is_empty() && self.window.is_none() && self.columns.is_none()
    }

    /// The part of the list that the answer needs, if that is known before a record is read: without filters and sorting.
    /// Its records then go to [`Control::apply_to_window`].
    pub fn window(&self) -> Option<Window> {
        if self.filters.is_none() && self.sorts.is_empty() { self.window } else { None }
    }

    /// Applies the output control to the whole list. `key` is a field that is kept whatever the columns. Only records that
    /// pass the filters are held in memory.
    pub fn apply(&self, records: impl IntoIterator<Item = Value>, key: Option<&str>) -> Controlled {
        let mut before = 0_usize;
        let passes = |record: &Value| self.filters.iter().flatten().all(|criterion| criterion.passes(record));
        let counted = records.into_iter().inspect(|_| before = before.saturating_add(1));
        let mut records: Vec<Value> = counted.filter(passes).collect();
        sort::sort(&mut records, &self.sorts);
        let total = records.len();
        if let Some(window) = self.window {
            records = records.into_iter().skip(window.skip).take(window.size.get()).collect();
        }
        self.finish(records, key, before, total)
    }

    /// Applies the rest to the records of [`Control::window`] of a list of `total` records.
    pub fn apply_to_window(&self, records: Vec<Value>, key: Option<&str>, total: usize) -> Controlled {
        self.finish(records, key, total, total)
    }

    fn finish(&self, mut records: Vec<Value>, key: Option<&str>, before: usize, total: usize) -> Controlled {
        if let Some(columns) = &self.columns {
            let is_kept = |field: &str| key == Some(field) || columns.iter().any(|column| column == field);
            for record in records.iter_mut().filter_map(Value::as_object_mut) {
                record.retain(|field, _| is_kept(field));
            }
        }
        Controlled { records, metadata: self.metadata(before, total) }
    }

    fn metadata(&self, before: usize, total: usize) -> Map<String, Value> {
        let mut metadata = Map::new();
        if let Some(window) = self.window {
            match self.dialect {
                Dialect::Whm => metadata.insert("chunk".to_owned(), chunk(window, total)),
                Dialect::Uapi => metadata.insert("paginate".to_owned(), paginate(window, total)),
            };
        }
        if self.filters.is_some() {
            let filter = match self.dialect {
                Dialect::Whm => json!({"filtered": before.saturating_sub(total)}),
                Dialect::Uapi => json!({"records_before_filter": before}),
            };
            metadata.insert("filter".to_owned(), filter);
        }
        metadata
    }
}

impl Window {
    /// The whole list.
    pub const ALL: Window = Window { skip: 0, size: NonZeroUsize::MAX };

    /// The size in metadata: the length of the list if it is the whole list.
    fn size(self, total: usize) -> usize {
        if self == Window::ALL { total } else { self.size.get() }
    }

    /// The number of the page that the window begins on, from 1.
    fn page(self) -> usize {
        self.skip.checked_div(self.size.get()).unwrap_or(0).saturating_add(1)
    }

    /// The number of its first record, from 1.
    fn start(self) -> usize {
        self.skip.saturating_add(1)
    }

    /// The number of windows of this size in a list.
    fn pages(self, total: usize) -> usize {
        total.div_ceil(self.size.get())
    }
}

/// A window in WHM's metadata.
fn chunk(window: Window, total: usize) -> Value {
    json!({
        "chunks": window.pages(total), "current": window.page(), "records": total, "size": window.size(total), "start": window.start()
    })
}

/// A window in UAPI's metadata.
fn paginate(window: Window, total: usize) -> Value {
    json!({
        "current_page": window.page(), "results_per_page": window.size(total), "start_result": window.start(),
        "total_pages": window.pages(total), "total_results": total
    })
}

/// Records as a map again, by the text in their field `key`, in their order. Records without it are left out.
pub fn entries_of(records: Vec<Value>, key: &str) -> Map<String, Value> {
    let entry = |record: Value| match record {
        Value::Object(mut fields) => match fields.shift_remove(key) {
            Some(Value::String(name)) => Some((name, Value::Object(fields))),
            _ => None,
        },
        _ => None,
    };
    records.into_iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests;
