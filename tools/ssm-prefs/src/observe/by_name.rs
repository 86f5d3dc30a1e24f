//! Keys, buckets and log groups by their names, each read once, however many documents name it.

use std::collections::BTreeMap;

use cli::Reading;

use super::{Clients, Names, key, storage};
use crate::model::{Bucket, Key, LogGroup, Observed};

/// What one run has read so far. What writes reads anew.
#[derive(Debug, Default)]
pub(crate) struct ByName {
    keys: BTreeMap<String, Reading<Key>>,
    buckets: BTreeMap<String, Reading<Bucket>>,
    log_groups: BTreeMap<String, Reading<LogGroup>>,
}

impl ByName {
    /// Reads the named key, bucket, log group and held transcripts; the rest stays absent.
    pub(crate) async fn resources(&mut self, clients: &Clients, names: &Names) -> Observed {
        let mut observed = Observed::default();
        if let Some(name) = &names.key {
            observed.key = self.key(clients, name).await;
        }
        if let Some(name) = &names.bucket {
            observed.bucket = match self.buckets.get(name) {
                Some(bucket) => bucket.clone(),
                None => storage::bucket(&clients.s3, name).await,
            };
            let bucket = observed.bucket.clone();
            self.buckets.insert(name.clone(), bucket);
        }
        if let Some(name) = &names.log_group {
            observed.log_group = match self.log_groups.get(name) {
                Some(log_group) => log_group.clone(),
                None => storage::log_group(&clients.logs, name).await,
            };
            let log_group = observed.log_group.clone();
            self.log_groups.insert(name.clone(), log_group);
        }
        for object in &names.held {
            let is_held = storage::is_held(&clients.s3, object).await;
            observed.held.insert(object.clone(), is_held);
        }
        observed
    }

    /// Reads a key by its ID, ARN or alias.
    pub(super) async fn key(&mut self, clients: &Clients, name: &str) -> Reading<Key> {
        if let Some(key) = self.keys.get(name) {
            return key.clone();
        }
        let key = key(&clients.kms, name).await;
        if let Reading::Present(present) = &key {
            // Others may name it by its ARN.
            self.keys.insert(present.arn.clone(), key.clone());
        }
        self.keys.insert(name.to_owned(), key.clone());
        key
    }
}
