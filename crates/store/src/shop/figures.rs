//! Payments picked from the payee's list, and what a day brought.

use base::id::{MerchantId, PaymentId};
use base::time::Timestamp;
use wire::api::{List, Payment, PaymentStatus};
use wire::shop::Figures;

use crate::Store;
use crate::activity::LIST_MAX;
use crate::error::StoreError;
use crate::setup::Payee;

const DAY_MS: u64 = 86_400_000;

/// Which payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// That stand so.
    pub status: Option<PaymentStatus>,
    /// That began then or later.
    pub from: Option<Timestamp>,
    /// That began before then.
    pub until: Option<Timestamp>,
}

impl Filter {
    fn takes(&self, payment: &Payment) -> bool {
        self.status.is_none_or(|status| payment.status == status) && self.until.is_none_or(|until| payment.created_at < until)
    }
}

impl Store {
    /// Those of the payee's payments that `filter` takes, newest first, older than `starting_after`; at most `limit`, and at most
    /// 100. Reads the list from there to where `from` ends it.
    pub fn payments_where(
        &self,
        by: impl Into<Payee>,
        filter: Filter,
        starting_after: Option<PaymentId>,
        limit: u32,
        now: Timestamp,
    ) -> Result<List<Payment>, StoreError> {
        let limit = limit.clamp(1, LIST_MAX) as usize;
        if filter == Filter::default() {
            return self.payments(by, starting_after, limit as u32, now);
        }
        let mut data = Vec::new();
        let mut older = self.older(by.into(), filter.from, starting_after, now);
        while data.len() <= limit
            && let Some(payment) = older()?
        {
            if filter.takes(&payment) {
                data.push(payment);
            }
        }
        let has_more = data.len() > limit;
        data.truncate(limit);
        Ok(List { data, has_more })
    }

    /// What the local day of `day` brought the merchant.
    pub fn figures(&self, merchant: MerchantId, day: Timestamp, now: Timestamp) -> Result<Figures, StoreError> {
        let from = self.rules(now)?.local_midnight(day);
        let filter = Filter { from: Some(from), until: Some(from.plus_millis(DAY_MS)), ..Filter::default() };
        let mut of_day = Vec::new();
        let mut older = self.older(Payee::Merchant(merchant), filter.from, None, now);
        while let Some(payment) = older()? {
            if filter.takes(&payment) {
                of_day.push(payment);
            }
        }
        Ok(payments::figures::of_day(&of_day, from))
    }

    /// The payee's payments one by one, newest first, older than `starting_after`, back to `from`.
    fn older(
        &self,
        by: Payee,
        from: Option<Timestamp>,
        starting_after: Option<PaymentId>,
        now: Timestamp,
    ) -> impl FnMut() -> Result<Option<Payment>, StoreError> {
        let (mut after, mut has_more, mut page) = (starting_after, true, Vec::<Payment>::new().into_iter());
        move || {
            if page.as_slice().is_empty() && has_more {
                let next = self.payments(by, after, LIST_MAX, now)?;
                has_more = next.has_more;
                after = next.data.last().map(|payment| payment.id);
                page = next.data.into_iter();
            }
            let next = page.next().filter(|payment| from.is_none_or(|from| payment.created_at >= from));
            if next.is_none() {
                has_more = false;
                page = Vec::new().into_iter();
            }
            Ok(next)
        }
    }
}
