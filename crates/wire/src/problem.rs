//! Errors of the HTTP API: RFC 9457 problem documents with a stable `code`.

use serde::{Deserialize, Serialize};

/// The body of every error answer, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A link to the code's page in `docs/errors.md`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same link, under the name that other payment APIs use.
    #[serde(default)]
    pub doc_url: String,
    /// The code's sentence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name that programs and pages go by.
    pub code: Code,
    /// The code again where the payer is the reason (402): what to go by when another way of paying is offered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decline_code: Option<Code>,
    /// Who can mend it and how.
    pub remedy: String,
    /// The field at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Tries that are left, for a wrong passcode.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempts_left: Option<u32>,
    /// The request's identifier, for whoever is asked for help.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}

impl Problem {
    /// The problem document of `code` with nothing further.
    pub fn of(code: Code) -> Self {
        let (status, title, remedy) = code.describe();
        let page = format!("/docs/errors#{}", code.name());
        Self {
            kind: page.clone(),
            doc_url: page,
            title: title.into(),
            status,
            code,
            decline_code: (status == 402).then_some(code),
            remedy: remedy.into(),
            field: None,
            attempts_left: None,
            request_id: None,
        }
    }

    /// The same, naming the field at fault.
    pub fn with_field(mut self, field: &str) -> Self {
        self.field = Some(field.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $status:literal, $title:literal, $remedy:literal;)*) => {
        /// Every outcome that is not success, for programs, pages and people. The name never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[doc = $title] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// HTTP status, sentence, remedy.
            pub const fn describe(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$variant => ($status, $title, $remedy),)* }
            }
        }
    };
}

codes! {
    InvalidRequest, "invalid_request", 400, "The request cannot be read.", "Mend the field that is named and send it again.";
    Unauthenticated, "unauthenticated", 401, "Nobody is signed in.", "Sign in, or send the key in the Authorization header.";
    Forbidden, "forbidden", 403, "This key or person may not do that.", "Use the account or terminal it belongs to.";
    NotFound, "not_found", 404, "There is no such thing here.", "Check the identifier.";
    MethodNotAllowed, "method_not_allowed", 405, "This address does not take that method.", "See openapi/api.json for what it takes.";
    MediaTypeUnsupported, "media_type_unsupported", 415, "The body is not of a kind that is understood.", "Send JSON with Content-Type: application/json.";
    BodyTooLarge, "body_too_large", 413, "The body of the request is too large.", "Send less at once.";
    CursorUnknown, "cursor_unknown", 422, "The list has no such row to go on from.", "Begin the list anew, without starting_after.";
    ApiVersionUnknown, "api_version_unknown", 400, "The Handsel-Version header names a version that does not exist.", "Send a version that docs/integrating.md lists, or leave the header out.";
    RateLimited, "rate_limited", 429, "Too many requests in a short time.", "Wait as long as Retry-After says and send it again with the same key.";
    TooMany, "too_many", 409, "There are as many of these as there may be.", "Delete one that is not needed.";
    TerminalRequired, "terminal_required", 422, "This merchant has more than one till.", "Say at which one with the field terminal.";
    UrlForbidden, "url_forbidden", 422, "Webhooks cannot be sent to this address.", "Give an absolute https URL of a public host, without user name and fragment.";
    TestModeOnly, "test_mode_only", 403, "That exists in test mode only.", "Use a test key, sk_test_….";
    IdempotencyKeyMissing, "idempotency_key_missing", 400, "The Idempotency-Key header is missing.", "Send a fresh random key with each new request and the same key with each retry.";
    IdempotencyKeyReused, "idempotency_key_reused", 422, "This Idempotency-Key was used for another request.", "Use a fresh key for a new request.";
    RequestInFlight, "request_in_flight", 409, "The same request is still being worked on.", "Wait a second and send it again with the same key.";
    StateConflict, "state_conflict", 409, "The payment is past that step.", "Read the payment and go on from where it stands.";
    PhoneSuffixRequired, "phone_suffix_required", 409, "The last four digits of the phone are needed first.", "Ask the shopper for them: too many people would be searched without, or nobody was found where fewer were.";
    ChallengeExpired, "challenge_expired", 409, "The look took too long.", "Nothing was charged. Start again.";
    ProbeReplayed, "probe_replayed", 409, "This look was used before.", "Nothing was charged. Look again.";
    ProbeMismatch, "probe_mismatch", 409, "This look was made for another payment, amount or till.", "Nothing was charged. Look again at the till that shows the amount.";
    ProbeInvalid, "probe_invalid", 422, "The look was altered on the way, comes from an unknown device, or holds no template.", "Nothing was charged. Have the till checked.";
    NotRecognised, "not_recognised", 402, "Nobody enrolled was recognised.", "Nothing was charged. Look again, or pay another way.";
    Ambiguous, "ambiguous", 402, "The look fits more than one person.", "Nothing was charged. Give the phone's last four digits, or pay another way.";
    BudgetExhausted, "budget_exhausted", 429, "This till has asked too often.", "Nothing was charged. Wait a minute, or pay another way.";
    PartiesUnavailable, "parties_unavailable", 503, "The identification service is not complete.", "Nothing was charged. Pay another way; its operator is told.";
    IdentificationInterrupted, "identification_interrupted", 503, "The identification was interrupted.", "Nothing was charged. Look again.";
    IdentificationUnsound, "identification_unsound", 503, "The identification service found that its parts do not fit together.", "Nothing was charged. Pay another way; the operators of the three parties must look.";
    PasscodeWrong, "passcode_wrong", 402, "The passcode is wrong.", "Nothing was charged. Try again.";
    PasscodeLocked, "passcode_locked", 402, "Too many wrong passcodes.", "Nothing was charged. Wait until the lock ends, or pay another way.";
    InsufficientBalance, "insufficient_balance", 402, "The balance is too low.", "Nothing was charged. Top up, or pay another way.";
    LimitExceeded, "limit_exceeded", 402, "The amount is above a limit of this account.", "Nothing was charged. Pay another way, or have the identity checked further.";
    AccountPaused, "account_paused", 402, "Paying with the face is paused by its owner.", "Nothing was charged. Resume it in the wallet.";
    AccountClosed, "account_closed", 402, "The account is closed.", "Nothing was charged. Pay another way.";
    AccountFrozen, "account_frozen", 402, "The account is frozen.", "Nothing was charged. Its owner can thaw it by proving who they are.";
    BalanceRemains, "balance_remains", 409, "There is still money in the account, or held in it.", "Spend it or wait until what is held is released, then close the account.";
    DeclinedByPayer, "declined_by_payer", 402, "The owner of the account declined it on the phone.", "Nothing was charged. Pay another way.";
    PaymentExpired, "payment_expired", 409, "The payment was not completed in time.", "Nothing was charged. Start again.";
    PaymentCancelled, "payment_cancelled", 409, "The payment was cancelled.", "Nothing was charged.";
    ConsentMissing, "consent_missing", 403, "There is no consent for this.", "Read and give the separate consent first.";
    ConsentOutdated, "consent_outdated", 409, "The text of the consent has changed.", "Read the current text and consent to it.";
    EnrolmentExists, "enrolment_exists", 409, "A face is enrolled already.", "Delete it first to enrol anew.";
    PhoneTaken, "phone_taken", 409, "There is an account with this phone number.", "Sign in to it.";
    PasscodeWeak, "passcode_weak", 422, "The passcode is too easy to guess.", "Choose six digits that are no run, no repetition and no date.";
    SignInFailed, "sign_in_failed", 401, "The phone number and passcode do not fit.", "Try again; after five wrong tries wait.";
    PasskeyInvalid, "passkey_invalid", 403, "The device's answer does not hold.", "Nothing was done. Try again with this device, or use another one.";
    PasskeyOrigin, "passkey_origin", 403, "The device answered for another address than this platform's.", "Open the page at the address that its operator announced; passkeys hold there only.";
    PasskeyUnknown, "passkey_unknown", 403, "This passkey is not, or no longer, one of this account's.", "Use a device that is listed in the wallet, or bind it anew.";
    PasskeyTaken, "passkey_taken", 409, "This passkey is bound already.", "Use it to sign in.";
    ApprovalRequired, "approval_required", 403, "A bound device must approve this first.", "Approve it on the phone that is bound to the account.";
    ApprovalUsed, "approval_used", 409, "This approval was used before.", "Approve again.";
    ApprovalExpired, "approval_expired", 409, "The approval took too long.", "Nothing was done. Approve again.";
    ApprovalMismatch, "approval_mismatch", 409, "The approval was given for something else.", "Nothing was done. Approve what is shown now.";
    DeviceMissing, "device_missing", 403, "No device of this account may approve.", "Bind a phone, or wait until a new phone's first day is over.";
    VoucherInvalid, "voucher_invalid", 422, "This is no voucher for this store.", "Nothing was charged. Show the newest code of the wallet at the store that it names, or pay another way.";
    VoucherExceeded, "voucher_exceeded", 409, "The amount is more than the voucher is worth.", "Nothing was charged. Take at most what the voucher says.";
    VoucherExpired, "voucher_expired", 409, "The voucher's time is over.", "Nothing was charged. Show a newer one, or pay another way.";
    VoucherStopped, "voucher_stopped", 409, "The voucher was stopped by its owner.", "Nothing was charged. Pay another way.";
    VoucherUsed, "voucher_used", 409, "The voucher was used before.", "It is charged once. Show another one, or pay another way.";
    RefundExceedsPayment, "refund_exceeds_payment", 409, "The refunds would be more than what was paid.", "Refund at most what is left.";
    RefundWindowOver, "refund_window_over", 409, "The payment is too old, or was refunded too often, to be refunded here.", "Pay the shopper back another way.";
    RefundNeedsApproval, "refund_needs_approval", 403, "The refund is above what may be refunded without a manager.", "Ask for it in the console; somebody who may approve it decides.";
    ApprovalByAsker, "approval_by_asker", 403, "Whoever asked for a refund cannot approve it.", "Let another person decide.";
    CodeInvalid, "code_invalid", 401, "This code is not valid, or no longer.", "Ask for a new one.";
    ReferenceUnknown, "reference_unknown", 404, "No case has this reference.", "Read it again with the caller, letter by letter; a name, a number or an amount finds nothing.";
    LookUpsSpent, "look_ups_spent", 429, "As many cases were looked up in the last hour as one person may.", "Wait until the earlier ones are an hour old; tell the desk's head if they were not yours.";
    CaseOver, "case_over", 409, "This case was looked up too long ago to act on it.", "Look it up again by its reference.";
    OnboardingIncomplete, "onboarding_incomplete", 409, "Something that a till must be bound to is missing.", "Give what is named in the console, then begin again.";
    SerialTaken, "serial_taken", 409, "A device with this serial number is in use.", "Take the other one out of use first; one device belongs to one merchant.";
    TerminalElsewhere, "terminal_elsewhere", 409, "The device is not where the store is.", "Activate it in the store, or correct the store's place.";
    LastOwner, "last_owner", 409, "A merchant needs an owner.", "Make somebody else an owner first.";
    RefundUnfunded, "refund_unfunded", 409, "The payee has less than that here.", "Wait for the next payments, or pay the shopper back another way.";
    CaptureExceedsAuthorisation, "capture_exceeds_authorisation", 409, "More is to be captured than was authorised.", "Capture at most the authorised amount.";
    UndoOver, "undo_over", 409, "This payment can no longer be taken back by oneself.", "Ask the payee for a refund, or say that it was not you.";
    PaymentDisputed, "payment_disputed", 409, "The payer says that this payment is not theirs.", "The institution decides it and pays; do not refund it.";
    DisputeExists, "dispute_exists", 409, "This payment was disputed before.", "Read that dispute.";
    DisputeWindowOver, "dispute_window_over", 409, "It is too late to dispute this here.", "Write to the institution.";
    StorageFull, "storage_full", 503, "The platform cannot store anything at the moment.", "Nothing was charged. Its operator must make room.";
    LedgerHalted, "ledger_halted", 503, "The books contradict themselves, so nothing is written.", "Nothing was charged. Its operator must look at the log and check the books.";
    PictureUnreadable, "picture_unreadable", 400, "The picture cannot be read.", "Send a whole JPEG or PNG.";
    PictureTooLarge, "picture_too_large", 413, "The picture is too large.", "Send at most 24 megapixels and 12 MiB a picture.";
    TooFewFrames, "too_few_frames", 400, "There are too few pictures.", "Send at least three.";
    NoFace, "no_face", 422, "No face is in view.", "Look at the camera.";
    SeveralFaces, "several_faces", 422, "More than one person is in view.", "Let one person stand in front of the till.";
    FaceTooSmall, "face_too_small", 422, "The face is too far away.", "Come closer.";
    FaceOffCentre, "face_off_centre", 422, "The face is too far to the side.", "Move to the middle.";
    Blurred, "blurred", 422, "The picture is blurred.", "Hold still for a moment.";
    TooDark, "too_dark", 422, "It is too dark.", "Turn on a light.";
    TooBright, "too_bright", 422, "It is too bright.", "Turn away from the strong light.";
    EyesNotVisible, "eyes_not_visible", 422, "The eyes cannot be seen.", "Face the camera and take off dark glasses.";
    NotLive, "not_live", 422, "This looks like a picture or a screen.", "Face the camera yourself, or pay another way.";
    FacesDiffer, "faces_differ", 422, "The pictures show different people.", "Let one person look until the camera is off.";
    PlatformUnreachable, "platform_unreachable", 503, "The till cannot reach the platform.", "Nothing new is charged. If a payment was under way, it is being checked: do not pay again.";
    Internal, "internal", 500, "Something is wrong on our side.", "Nothing was charged unless the receipt says so. Quote the request identifier.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_points_to_its_page_and_says_whether_the_payer_is_the_reason() {
        let page = include_str!("../../../docs/errors.md");
        for code in Code::ALL {
            let problem = Problem::of(*code);
            let anchor = problem.doc_url.strip_prefix("/docs/errors#").expect("a page of ours");
            assert!(page.contains(&format!("\n## {anchor}\n")), "{anchor} has no section");
            assert_eq!((problem.kind == problem.doc_url, problem.decline_code), (true, (problem.status == 402).then_some(*code)));
        }
    }

    #[test]
    fn names_are_unique_and_survive_json() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..at].iter().all(|other| other.name() != code.name()));
            let json = serde_json::to_string(code).expect("a code is a string");
            assert_eq!(json, format!("\"{}\"", code.name()));
            assert_eq!(serde_json::from_str::<Code>(&json).expect("reads back"), *code);
        }
    }
}
