//! From templates to a sealed, signed probe. Pure: key, context and randomness are handed in.

use base::party::PartyId;
use ed25519_dalek::SigningKey;
use mpc::share::{SHARE_BYTES, TemplateShare, share_template};
use rand_core::CryptoRng;
use wire::bytes::HexBytes;
use wire::probe::{ProbeContext, SealedProbe};
use wire::seal::{SealError, seal};
use zeroize::Zeroizing;

/// Why no probe could be made.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A template is not of the shape the parties expect: a fault of this program.
    #[error("the template cannot be shared: {0}")]
    Share(#[from] mpc::error::Error),
    /// A party's sealing key is malformed; whoever set up the terminal can mend it.
    #[error("the share cannot be sealed: {0}")]
    Seal(#[from] SealError),
}

/// Splits each of `templates` (quantised features, all of one length) into three shares, seals the parties' shares with
/// `sealing_keys` bound to `context`, and signs with `device_key`. `context.templates` and `context.dimensions` are set
/// here from what is handed in.
pub fn build(
    templates: &[&[i16]],
    mut context: ProbeContext,
    sealing_keys: &[HexBytes; 3],
    device_key: &SigningKey,
    rng: &mut impl CryptoRng,
) -> Result<SealedProbe, ProbeError> {
    context.templates = u32::try_from(templates.len()).expect("a probe holds far fewer than 2^32 templates");
    context.dimensions =
        u16::try_from(templates.first().map_or(0, |template| template.len())).expect("a template has at most 1,024 features");
    // Of their full size at once, so that growing leaves no copy behind.
    let share_len = templates.len() * usize::from(context.dimensions) * SHARE_BYTES;
    let mut plaintexts = [(); 3].map(|()| Zeroizing::new(Vec::with_capacity(share_len)));
    for template in templates {
        let shares: [TemplateShare; 3] = share_template(template, rng)?;
        for (plaintext, share) in plaintexts.iter_mut().zip(&shares) {
            plaintext.extend_from_slice(&share.to_bytes());
        }
    }
    let [first, second, third] = &plaintexts;
    let sealed = [
        seal(&sealing_keys[0], &context.associated_data(PartyId::P1), first, rng)?,
        seal(&sealing_keys[1], &context.associated_data(PartyId::P2), second, rng)?,
        seal(&sealing_keys[2], &context.associated_data(PartyId::P3), third, rng)?,
    ];
    Ok(SealedProbe::sign(context, sealed, device_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::id::TerminalId;
    use base::time::Timestamp;
    use rand_core::UnwrapErr;
    use wire::bytes::HexArray;
    use wire::probe::Purpose;
    use wire::seal::{generate_key_pair, open};

    #[test]
    fn two_parties_together_hold_the_template_and_one_alone_holds_noise() {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let pairs = [generate_key_pair(&mut rng), generate_key_pair(&mut rng), generate_key_pair(&mut rng)];
        let publics = [pairs[0].1.clone(), pairs[1].1.clone(), pairs[2].1.clone()];
        let device_key = SigningKey::from_bytes(&[9; 32]);
        let template: Vec<i16> = (0..128).map(|feature| feature % 23 - 11).collect();
        let context = ProbeContext {
            purpose: Purpose::Pay,
            reference: "pay_00000000000000000000000001".into(),
            payee: "mer_00000000000000000000000001".into(),
            amount_minor: 1,
            currency: "CNY".into(),
            nonce: HexArray([1; 32]),
            issued_at: Timestamp::from_millis(1),
            expires_at: Timestamp::from_millis(2),
            terminal: TerminalId::from_bits(1),
            counter: 1,
            partition: None,
            templates: 0,
            dimensions: 0,
        };

        let probe = build(&[&template], context, &publics, &device_key, &mut rng).expect("the template is sound");
        probe.verify(&device_key.verifying_key()).expect("the terminal signed it");
        let shares: Vec<TemplateShare> = PartyId::ALL
            .into_iter()
            .map(|party| {
                let own = probe.for_party(party);
                let plain = open(&pairs[party.index()].0, &own.context.associated_data(party), &own.sealed).expect("its own share opens");
                TemplateShare::from_bytes(&plain, 128).expect("of the announced shape")
            })
            .collect();

        for (first, second) in [(PartyId::P1, PartyId::P2), (PartyId::P2, PartyId::P3), (PartyId::P1, PartyId::P3)] {
            let whole = mpc::share::reconstruct((first, &shares[first.index()]), (second, &shares[second.index()]));
            assert_eq!(whole.expect("equal lengths").as_slice(), template.as_slice());
        }
        for share in &shares {
            let equal = share.to_row().as_slice().iter().zip(&template).filter(|(share, feature)| **share == **feature as u16).count();
            assert!(equal < 5, "{equal} of 128 features stand in the clear");
        }
    }
}
