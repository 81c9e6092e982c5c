//! How far opt-outs are used whose uses are limited.

use std::collections::{BTreeSet, HashMap};

use gate_ledger::store::{StoreError, View};
use gate_model::payload::GrantData;

/// The uses of the opt-outs of one gate, as one view of the ledger has them. Decisions that spend several opt-outs at once
/// are read once for all that ask.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// From which position on, and for each opt-out where it was spent with others.
    together: Option<(u64, HashMap<u64, Vec<u64>>)>,
}

impl Uses {
    /// How many decisions after the grant at `since` and up to `last` have spent the opt-out `id`.
    ///
    /// # Errors
    /// A failure of the store.
    pub(crate) fn count(
        &mut self,
        view: &View<'_>,
        gate: &str,
        (id, since): (u64, u64),
        last: u64,
    ) -> Result<u64, StoreError> {
        let alone = view.spent_alone(gate, id, since, last)?;
        let spent = self.together(view, gate, since)?.get(&id).map_or(&[][..], Vec::as_slice);
        let (from, to) =
            (spent.partition_point(|seq| *seq <= since), spent.partition_point(|seq| *seq <= last));
        Ok(alone + to.saturating_sub(from) as u64)
    }

    /// How many uses of the grant at `since` are left; nothing where they are not limited.
    ///
    /// # Errors
    /// A failure of the store.
    pub(crate) fn left(
        &mut self,
        view: &View<'_>,
        gate: &str,
        grant: (u64, u64),
        data: &GrantData,
    ) -> Result<Option<u64>, StoreError> {
        let Some(max) = data.ask.max_uses else { return Ok(None) };
        Ok(Some(max.saturating_sub(self.count(view, gate, grant, u64::MAX)?)))
    }

    fn together(
        &mut self,
        view: &View<'_>,
        gate: &str,
        since: u64,
    ) -> Result<&HashMap<u64, Vec<u64>>, StoreError> {
        let known = self.together.take().filter(|(from, _)| *from <= since);
        let known = match known {
            Some(known) => known,
            None => (since, read(view, gate, since)?),
        };
        Ok(&self.together.insert(known).1)
    }
}

fn read(view: &View<'_>, gate: &str, since: u64) -> Result<HashMap<u64, Vec<u64>>, StoreError> {
    let mut spent: HashMap<u64, Vec<u64>> = HashMap::new();
    view.spent_together(gate, since, &mut |seq, spends| {
        // What is no list of opt-outs is a use of none.
        let ids: Vec<serde_json::Value> = serde_json::from_str(spends).unwrap_or_default();
        for id in ids.iter().filter_map(serde_json::Value::as_u64).collect::<BTreeSet<_>>() {
            spent.entry(id).or_default().push(seq);
        }
    })?;
    Ok(spent)
}
