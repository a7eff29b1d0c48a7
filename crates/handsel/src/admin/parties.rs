//! Asking the three parties as the platform does: with its certificate, over connections of our own.

use std::time::Duration;

use api::config::{PartyPeer, TlsIdentity};
use api::resolver::connect::Connector;
use base::party::PartyId;
use base::secret::Secret;
use party::frame;
use wire::party::{PartyAnswer, PartyCommand, PartyRequest, PartyResponse};

use crate::provision::{PlatformKeys, PlatformNode};
use crate::run::{Failure, failed};

/// The three parties, as the platform's configuration names them.
pub struct Parties {
    connectors: [Connector; 3],
}

impl Parties {
    /// From the platform's own configuration and keys.
    pub fn new(node: &PlatformNode, keys: PlatformKeys) -> Result<Self, Failure> {
        let identity = TlsIdentity { certificate_pem: keys.certificate_pem, private_key_pem: Secret::new(keys.private_key_pem) };
        let mut connectors = Vec::new();
        for party in PartyId::ALL {
            let peer = node.parties.iter().find(|peer| peer.party == party);
            let peer = peer.ok_or_else(|| Failure(format!("the platform's configuration does not name {party}; set it up anew")))?;
            let peer = PartyPeer {
                address: peer.address,
                certificate_sha256: peer.certificate_sha256,
                confirmation_key: peer.confirmation_public_key,
            };
            connectors.push(Connector::new(&peer, &identity).map_err(failed("the platform's certificate cannot be used"))?);
        }
        Ok(Self { connectors: connectors.try_into().unwrap_or_else(|_| unreachable!("there are three parties")) })
    }

    /// One question to one party.
    pub async fn ask(&self, party: PartyId, command: PartyCommand, patience: Duration) -> Result<PartyAnswer, Failure> {
        let exchange = async {
            let mut stream = self.connectors[party.index()].connect().await?;
            let bytes = serde_json::to_vec(&PartyRequest { id: 1, command }).expect("a request is plain data");
            frame::write(&mut stream, &[&bytes]).await?;
            frame::read(&mut stream).await
        };
        let answered = tokio::time::timeout(patience, exchange).await;
        let bytes = answered
            .map_err(|_| Failure(format!("{party} did not answer in time")))?
            .map_err(failed(&format!("{party} cannot be asked")))?;
        let response: PartyResponse =
            serde_json::from_slice(&bytes).map_err(|_| Failure(format!("{party} answers what this version cannot read")))?;
        match response.answer {
            PartyAnswer::Refused { code, detail } => Err(Failure(format!("{party} refuses: {detail} ({code:?})"))),
            answer => Ok(answer),
        }
    }

    /// The same question to all three at once.
    pub async fn ask_all(&self, command: PartyCommand, patience: Duration) -> Result<[PartyAnswer; 3], Failure> {
        let ask = |party| self.ask(party, command.clone(), patience);
        let (first, second, third) = tokio::join!(ask(PartyId::P1), ask(PartyId::P2), ask(PartyId::P3));
        match (first, second, third) {
            (Ok(first), Ok(second), Ok(third)) => Ok([first, second, third]),
            // One party's reason makes the others lose their peer, so all are told.
            (first, second, third) => {
                let reasons: Vec<String> =
                    [first.err(), second.err(), third.err()].into_iter().flatten().map(|failure| failure.0).collect();
                Err(Failure(reasons.join("; ")))
            }
        }
    }
}
