//! Pages of lists: in the order of folded names (or of ids, where it says so), beginning after the last item of the page before.
//! A page stays right when items come or go between two pages; it is not a snapshot of the whole list.

use crate::limits::LIST_EXAMINED_MAX;
use crate::name::fold;
use crate::named::Named;
use crate::{Directory, Result};

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; none when this is the last. It is plain text: whoever hands it out makes it opaque.
    pub next: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

impl<T> Page<T> {
    /// A page of a list that is small enough to be held whole. `place` gives an item's place in the order.
    pub(crate) fn of_all(
        mut all: Vec<T>,
        place: impl Fn(&T) -> String,
        after: Option<&str>,
        limit: usize,
    ) -> Self {
        all.sort_by_cached_key(&place);
        all.retain(|item| after.is_none_or(|after| place(item).as_str() > after));
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(place);
        Self { items: all, next }
    }

    /// The same page of other items.
    #[must_use]
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

/// A page of the users, groups, roles or policies under a path. It ends early, and says that more may follow, when it has
/// looked at very many without finding enough.
pub(crate) async fn list<N: Named>(
    directory: &mut Directory<'_>,
    path_prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<N>> {
    let account = (directory.account.to_owned(),);
    let mut page = Page::default();
    let mut last = after.map(|after| directory.key(after));
    let mut examined = 0;
    let step = if path_prefix == "/" { limit.saturating_add(1) } else { LIST_EXAMINED_MAX };
    loop {
        let entries = N::names().scan(directory.transaction, &account, last.as_ref(), step).await?;
        let is_end = entries.len() < step;
        for (key, entry) in entries {
            examined += 1;
            if entry.path.starts_with(path_prefix) {
                if page.items.len() >= limit {
                    page.next = last.map(|(_, folded)| folded);
                    return Ok(page);
                }
                let record = N::table().get(directory.transaction, &directory.key(&entry.id)).await?;
                // An entry may be of a record that was renamed or deleted while the scan ran.
                page.items.extend(record.filter(|record| fold(record.name()) == key.1));
            }
            last = Some(key);
        }
        if is_end {
            return Ok(page);
        }
        if examined >= LIST_EXAMINED_MAX {
            page.next = last.map(|(_, folded)| folded);
            return Ok(page);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_the_one_before() {
        let all = || vec!["b".to_owned(), "a".to_owned(), "c".to_owned()];
        let page = Page::of_all(all(), String::clone, None, 2);
        assert_eq!((page.items, page.next.as_deref()), (vec!["a".to_owned(), "b".to_owned()], Some("b")));
        let page = Page::of_all(all(), String::clone, Some("b"), 2);
        assert_eq!((page.items, page.next), (vec!["c".to_owned()], None));
    }
}
