//! The one guard around the SDK, which panics on configuration that it cannot use. What a panic says is not printed: it may
//! quote a secret. Where it happened is.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;

use anyhow::anyhow;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs what the SDK makes of the configuration.
///
/// # Errors
/// Those of the work; it panicked.
pub(crate) async fn guarded<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match caught(|| work.as_mut().poll(context)) {
        Ok(polled) => polled,
        Err(place) => Poll::Ready(Err(anyhow!(
            "the AWS SDK cannot use this configuration (it panics at {place}): check the AWS_ variables and the profile"
        ))),
    })
    .await
}

/// Runs something to its end, or to its panic, whose place is returned.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match IS_GUARDED.get() {
            true => PLACE.set(place(panic)),
            false => others(panic),
        }));
    });
    let outside = IS_GUARDED.replace(true);
    // Nothing that a panic left half-done is used again: the run ends with the error.
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(outside);
    result.map_err(|_| PLACE.take())
}

/// Returns the crate, file and line, such as `aws-runtime-1.10.2/src/auth.rs:296`, without the directory of the build.
fn place(panic: &PanicHookInfo<'_>) -> String {
    let Some(location) = panic.location() else {
        return "an unknown place".to_owned();
    };
    let parts: Vec<&str> = location.file().split('/').collect();
    let root = parts.iter().rposition(|part| *part == "src");
    let first = root.map_or(0, |root| root.saturating_sub(1));
    format!("{}:{}", parts[first..].join("/"), location.line())
}

#[cfg(test)]
mod tests {
    use super::{caught, guarded};

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_where_and_not_what() {
        let error = guarded(async {
            tokio::task::yield_now().await;
            "canary".parse::<u32>().expect("canary");
            Ok(())
        });
        let error = error.await.unwrap_err().to_string();
        assert!(error.contains("awsconf/src/guard.rs:"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn what_does_not_panic_passes() {
        assert_eq!(guarded(async { Ok(1) }).await.unwrap(), 1);
        assert_eq!(caught(|| 2), Ok(2));
        let refused: anyhow::Result<()> =
            guarded(async { Err(anyhow::anyhow!("no region")) }).await;
        assert_eq!(refused.unwrap_err().to_string(), "no region");
    }
}
