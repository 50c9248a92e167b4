//! What the operator does to captured mail.

use crate::inbox::MessageId;
use crate::store;

use super::By;
use super::Operator;

impl Operator {
    /// Deletes a captured mail; `false` when it is not there.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete_captured(&self, id: MessageId, by: &By) -> Result<bool, store::Error> {
        let entry = self.entry("inbox_delete", &id.to_string(), by);
        self.inbox.delete(id, entry).await
    }

    /// Deletes all captured mail; says how many there were.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear_captured(&self, by: &By) -> Result<u64, store::Error> {
        self.inbox
            .clear(|| self.entry("inbox_clear", "inbox", by))
            .await
    }
}
