//! Looking through each day for signs of laundering, once, after it is over.

use base::id::{AccountId, MerchantId};
use base::time::Timestamp;
use payments::rules::RulePack;
use payments::watch::WalletDay;

use crate::alert::{self, MerchantKind};
use crate::db::Tx;
use crate::error::StoreError;
use crate::row::{At, Bits};
use crate::{Store, account_rows, chain};

const DAY_MS: u64 = 86_400_000;

/// The rows of a day: those after `after` that were posted in its time.
struct Day {
    number: u32,
    /// The last row of a day before.
    after: i64,
    begin: Timestamp,
    end: Timestamp,
}

impl Store {
    /// Looks through the first day that is over and that nobody looked through, and tells staff what it found. Says how many alerts.
    /// Run it every few minutes; it begins with the day before its first run.
    pub fn watch_day(&self, now: Timestamp) -> Result<usize, StoreError> {
        let rules = self.rules(now)?;
        let found = self.read(|tx| {
            let Some(day) = unwatched(tx, rules, now)? else { return Ok(None) };
            let (wallets, merchants) = (wallets(tx, &day, rules)?, merchants(tx, &day, rules)?);
            Ok(Some((day, wallets, merchants)))
        })?;
        let Some((day, wallets, merchants)) = found else { return Ok(0) };
        self.run_tx("watch_day", |tx| {
            let last = "SELECT sequence FROM activities WHERE posted_at < ?1 ORDER BY sequence DESC LIMIT 1";
            let last: i64 = tx.find(last, [At(day.end)], |row| row.get(0))?.unwrap_or(0);
            let watched = "INSERT INTO watched_days (day, sequence) VALUES (?1, ?2) ON CONFLICT (day) DO NOTHING";
            if tx.execute(watched, (day.number, last))? == 0 {
                return Ok(0);
            }
            let signs = wallets.iter().flat_map(|(account, day)| day.signs(rules).into_iter().map(|sign| (*account, sign)));
            let signs: Vec<_> = signs.collect();
            for (account, sign) in &signs {
                alert::raise(tx, (*sign).into(), *account, None, now)?;
            }
            for merchant in &merchants {
                alert::raise_about(tx, MerchantKind::LargeAmount, *merchant, now)?;
            }
            Ok(signs.len() + merchants.len())
        })
    }
}

/// The day after the last that somebody looked through, or yesterday; `None` while it lasts.
fn unwatched(tx: &Tx, rules: &RulePack, now: Timestamp) -> Result<Option<Day>, StoreError> {
    let today = rules.local_day(now);
    let last: Option<(u32, i64)> =
        tx.find("SELECT day, sequence FROM watched_days ORDER BY day DESC LIMIT 1", (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (number, after) = last.map_or((today.saturating_sub(1), 0), |(day, sequence)| (day + 1, sequence));
    if number >= today {
        return Ok(None);
    }
    let midnight = |day: u32| Timestamp::from_millis(rules.local_midnight(now).millis().saturating_sub(u64::from(today - day) * DAY_MS));
    Ok(Some(Day { number, after, begin: midnight(number), end: midnight(number + 1) }))
}

/// Wallets that moved enough to be a sign of something.
fn wallets(tx: &Tx, day: &Day, rules: &RulePack) -> Result<Vec<(AccountId, WalletDay)>, StoreError> {
    const SUMS: &str = "SELECT account, CAST(sum(CASE WHEN amount_minor > 0 THEN amount_minor ELSE 0 END) AS BIGINT) AS came,
             CAST(sum(CASE WHEN amount_minor < 0 THEN -amount_minor ELSE 0 END) AS BIGINT) AS went,
             CAST(sum(CASE WHEN kind = 'top_up' AND amount_minor >= ?4 THEN 1 ELSE 0 END) AS BIGINT) AS parts
         FROM activities WHERE sequence > ?1 AND posted_at >= ?2 AND posted_at < ?3 GROUP BY account";
    let sql = format!("SELECT account, came, went, parts FROM ({SUMS}) AS sums WHERE came >= ?5 OR went >= ?5 ORDER BY account");
    let bounds = (day.after, At(day.begin), At(day.end), rules.near_top_up_max_minor(), rules.watched_day_min_minor());
    let sums = tx.list(&sql, bounds, |row| {
        let sums = WalletDay { in_minor: row.get(1)?, out_minor: row.get(2)?, top_ups_near_max: row.get(3)?, ..WalletDay::default() };
        Ok((AccountId::from_bits(row.get::<Bits>(0)?.0), sums))
    })?;
    sums.into_iter().map(|(account, sums)| Ok((account, with_details(tx, day, account, sums)?))).collect()
}

/// To whom most went, and how long the account had been still.
fn with_details(tx: &Tx, day: &Day, account: AccountId, sums: WalletDay) -> Result<WalletDay, StoreError> {
    let Some(last) = account_rows::last_activity(tx, account)? else { return Ok(sums) };
    // Back to the first row before the day.
    let chain = chain::ACTIVITIES.walk("(SELECT n.posted_at FROM activities n WHERE n.reference = chain.id) >= ?2");
    let payee = "SELECT CAST(-sum(a.amount_minor) AS BIGINT) FROM chain JOIN activities a ON a.reference = chain.id JOIN payments p ON p.id = a.payment
         WHERE a.kind = 'payment' AND a.posted_at >= ?2 AND a.posted_at < ?3 GROUP BY p.merchant ORDER BY 1 DESC LIMIT 1";
    let one_payee_minor = tx.find(&format!("{chain}{payee}"), (last, At(day.begin), At(day.end)), |row| row.get(0))?.unwrap_or(0);
    let before = "SELECT max(a.posted_at) FROM chain JOIN activities a ON a.reference = chain.id WHERE a.posted_at < ?2";
    let before: Option<At> = tx.one(&format!("{chain}{before}"), (last, At(day.begin)), |row| row.get(0))?;
    let still_days = before.map(|before| (day.begin.millis() - before.0.millis()) / DAY_MS);
    Ok(WalletDay { one_payee_minor, still_days, ..sums })
}

/// Merchants that took in so much that the authority must be told.
fn merchants(tx: &Tx, day: &Day, rules: &RulePack) -> Result<Vec<MerchantId>, StoreError> {
    let sql = "SELECT p.merchant FROM activities a JOIN payments p ON p.id = a.payment
         WHERE a.sequence > ?1 AND a.posted_at >= ?2 AND a.posted_at < ?3 AND a.kind = 'payment'
         GROUP BY p.merchant HAVING CAST(-sum(a.amount_minor) AS BIGINT) >= ?4 ORDER BY p.merchant";
    let bounds = (day.after, At(day.begin), At(day.end), rules.watch.organisation_day_minor);
    Ok(tx.list(sql, bounds, |row| Ok(MerchantId::from_bits(row.get::<Bits>(0)?.0)))?)
}
