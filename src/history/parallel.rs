//! Work that all processors share.

/// The results in the order of what they are of, found by all processors.
pub(crate) fn in_parallel<T: Sync, R: Send>(of: &[T], find: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = of.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let find = &find;
        let shares = of.chunks(share);
        let threads: Vec<_> = shares
            .map(|part| scope.spawn(move || part.iter().map(find).collect::<Vec<R>>()))
            .collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    })
}
