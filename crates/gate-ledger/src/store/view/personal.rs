//! The personal texts that lie beside the chain, as far as they were not erased.

use super::View;
use crate::commitment::{Commitment, Opening};
use crate::entry::Entry;
use crate::store::StoreError;
use crate::store::private::{self, KeptOpening};

impl View<'_> {
    /// The opening of `commitment`, checked against it; nothing where it was erased.
    ///
    /// # Errors
    /// [`StoreError::Opening`] where somebody edited it; another [`StoreError`].
    pub fn opening(&self, commitment: Commitment) -> Result<Option<Opening>, StoreError> {
        private::find(self.connection, commitment)
    }

    /// The commitments that stand for `name`, the one that this ledger uses first.
    ///
    /// # Errors
    /// As [`View::opening`].
    pub fn pseudonyms(&self, name: &str) -> Result<Vec<Commitment>, StoreError> {
        private::pseudonyms(self.connection, name)
    }

    /// The same with the entry that it was recorded with.
    ///
    /// # Errors
    /// As [`View::opening`].
    pub fn kept_opening(&self, commitment: Commitment) -> Result<Option<KeptOpening>, StoreError> {
        private::find_kept(self.connection, commitment)
    }

    /// Hands every opening to `each`, in no order; one that does not fit its commitment as the error that it is.
    ///
    /// # Errors
    /// What `each` returns; a [`StoreError`].
    pub fn openings(
        &self,
        each: &mut dyn FnMut(Result<KeptOpening, StoreError>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        private::scan(self.connection, each)
    }

    /// Puts personal text back into an entry that was read elsewhere, as far as it is known here.
    ///
    /// # Errors
    /// As [`View::opening`].
    pub fn reveal(&self, entry: &mut Entry) -> Result<(), StoreError> {
        private::reveal(self.connection, entry)
    }
}
