//! The JSON of trusted helpers: whom an owner lets see payments and freeze the account.

use base::id::HelperId;
use base::secret::Secret;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::Activity;

/// `POST /v1/me/helpers`: asks somebody. Answers with [`Helper`], the same whether or not that number has an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHelper {
    /// The helper's mainland mobile number, 11 digits.
    pub phone: Secret<String>,
    /// The owner's passcode.
    pub passcode: Secret<String>,
}

/// Which of the two the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelperRole {
    /// The other one helps the reader.
    HelpsMe,
    /// The reader helps the other one.
    IHelp,
}

/// One tie between an owner and a helper, as one of the two sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// The tie.
    pub id: HelperId,
    /// Which of the two reads it.
    pub role: HelperRole,
    /// The other one's name; an owner sees it once the helper has agreed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The other one's number, all but the last four digits hidden.
    pub phone_masked: String,
    /// When the owner asked.
    pub invited_at: Timestamp,
    /// When the helper agreed; missing until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted_at: Option<Timestamp>,
    /// When the helper froze the account last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub froze_at: Option<Timestamp>,
}

/// `GET /v1/me/helpers/{id}`: what a helper sees of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helped {
    /// The tie.
    pub helper: Helper,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// From which sum on, in minor units, a payment is pointed out.
    pub notable_payment_minor: i64,
    /// Its latest movements, newest first, at most 20.
    pub activity: Vec<Activity>,
}
