//! How large programs are.

use super::{Change, Direction, Observed};
use crate::units::{Bytes, Paired};

/// What the sizes of both sides show, where a change counts beyond `margin`, a logarithm; `None` where neither is known.
pub(super) fn change(sizes: &Paired<Option<Bytes>>, margin: f64) -> Option<Change> {
    let sizes = sizes
        .as_ref()
        .map(|size| Some(size.as_ref()?.as_bytes() as f64));
    if sizes.base.is_none() && sizes.head.is_none() {
        return None;
    }
    let direction = match (sizes.base, sizes.head) {
        (Some(base), Some(head)) if base > 0.0 && head > 0.0 => Some(match (head / base).ln() {
            ratio if ratio > margin => Direction::More,
            ratio if ratio < -margin => Direction::Fewer,
            _ => Direction::Same,
        }),
        _ => None,
    };
    Some(Change {
        sides: sizes.map(|size| size.map(Observed::exactly)),
        direction,
        ..Change::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_changes_by_more_than_the_threshold_and_one_side_alone_has_no_direction() {
        let found = |base: Option<u64>, head: Option<u64>| {
            let sizes = Paired::new(base, head).map(|size| size.map(Bytes::from_bytes));
            change(&sizes, 0.01).map(|change| change.direction)
        };
        assert_eq!(found(Some(1000), Some(1020)), Some(Some(Direction::More)));
        assert_eq!(found(Some(1000), Some(980)), Some(Some(Direction::Fewer)));
        assert_eq!(found(Some(1000), Some(1001)), Some(Some(Direction::Same)));
        assert_eq!(found(None, Some(1001)), Some(None));
        assert_eq!(found(None, None), None);
    }
}
