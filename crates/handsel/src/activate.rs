//! `handsel activate`: a new till redeems its code, proves its key, is tried, and gets its configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ed25519_dalek::{Signer, SigningKey};
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest, Sha256};
use terminal::config::{NewTerminalConfig, TerminalConfig};
use wire::bytes::HexArray;
use wire::problem::Problem;
use wire::shop::{Activation, Attested, RedeemedActivation, TestedActivation, attestation};

use crate::provision::{self, TerminalKeys, new_terminal_keys, private_folder, public_half, write_private};
use crate::run::{Failure, context, failed, runtime};

#[derive(Args)]
pub struct ActivateOptions {
    /// The code that the console shows.
    #[arg(long)]
    pub code: String,
    /// The device's serial number.
    #[arg(long)]
    pub serial: String,
    /// Where it is: latitude and longitude in degrees, such as `31.230400,121.473700`.
    #[arg(long, value_parser = position)]
    pub position: (i64, i64),
    /// The configuration of a till that works: platform, models and the three parties' keys are taken from it.
    #[arg(long, default_value = "var/handsel/till/node.toml")]
    pub like: PathBuf,
    /// Folder of the new till; made if it is not there.
    #[arg(long)]
    pub dir: PathBuf,
    /// Where its agent listens: a loopback address.
    #[arg(long, default_value = "127.0.0.1:7411")]
    pub listen: std::net::SocketAddr,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Does it, and says what the parties' operators must add.
pub fn run(options: &ActivateOptions) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(&options.like).map_err(context(&options.like))?;
    let like: TerminalConfig =
        toml::from_str(&text).map_err(|_| Failure(format!("{} is no till's configuration", options.like.display())))?;
    let dir = std::path::absolute(&options.dir).map_err(context(&options.dir))?;
    private_folder(&dir)?;
    let keys: TerminalKeys = provision::keys(&dir.join("keys.toml"), new_terminal_keys)?;
    let (attested, active) = runtime()?.block_on(ask(options, &like.platform, &keys))?;
    let node = NewTerminalConfig {
        listen: options.listen,
        terminal: attested.terminal,
        token: &keys.token,
        device_key: keys.device_key,
        platform: like.platform,
        wallet_origin: like.wallet_origin,
        web: like.web,
        models: like.models,
        counter: dir.join("counter"),
        sealing_keys: like.sealing_keys,
        archive_photographs: false,
    };
    let config = dir.join("node.toml");
    write_private(&config, &node)?;
    let public_key = public_half(&keys.device_key);
    if options.json {
        println!("{}", json!({"terminal": attested.terminal, "device_public_key": public_key, "config": config, "status": active.status}));
    } else {
        println!("{} at {}, {}, is active.", attested.terminal, attested.store_name, attested.merchant_name);
        println!("Each party's operator adds it under [[terminals]] in node.toml and starts the party again; `handsel up` does so itself:");
        println!("  terminal = \"{}\"\n  device_public_key = \"{}\"", attested.terminal, base::hash::hex(&public_key.0));
        println!("Then: handsel terminal --config {}", config.display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(options: &ActivateOptions, platform: &str, keys: &TerminalKeys) -> Result<(Attested, Activation), Failure> {
    let client = Client::builder().build().map_err(failed("the HTTP client does not start"))?;
    let device = RedeemedActivation {
        code: options.code.clone(),
        serial: options.serial.clone(),
        public_key: public_half(&keys.device_key),
        token_sha256: HexArray(Sha256::digest(&keys.token).into()),
        latitude_e6: options.position.0,
        longitude_e6: options.position.1,
    };
    let attested: Attested = post(&client, &format!("{platform}/v1/activations/redeem"), &device).await?;
    let message = attestation(attested.terminal, &attested.nonce.0);
    let signature = SigningKey::from_bytes(&keys.device_key.0).sign(&message).to_bytes();
    let proof = TestedActivation { token: keys.token.clone(), signature: HexArray(signature) };
    let active = post(&client, &format!("{platform}/v1/activations/test"), &proof).await?;
    Ok((attested, active))
}

async fn post<T: DeserializeOwned>(client: &Client, url: &str, body: &impl Serialize) -> Result<T, Failure> {
    let unreachable = |error: reqwest::Error| Failure(format!("the platform does not answer: {}", error.without_url()));
    let response = client.post(url).json(body).send().await.map_err(unreachable)?;
    let is_success = response.status().is_success();
    let bytes = response.bytes().await.map_err(unreachable)?;
    if is_success {
        return serde_json::from_slice(&bytes).map_err(failed("the platform's answer cannot be read"));
    }
    let problem: Problem = serde_json::from_slice(&bytes).map_err(failed("the platform's answer cannot be read"))?;
    let field = problem.field.map(|field| format!(" ({field})")).unwrap_or_default();
    Err(Failure(format!("{}{field} {}", problem.title, problem.remedy)))
}

/// Two degrees as millionths.
fn position(text: &str) -> Result<(i64, i64), String> {
    let e6 = |part: &str| {
        let degrees: f64 = part.trim().parse().ok()?;
        degrees.is_finite().then(|| (degrees * 1e6).round() as i64)
    };
    let (latitude, longitude) = text.split_once(',').ok_or("give latitude and longitude with a comma between them")?;
    e6(latitude).zip(e6(longitude)).ok_or_else(|| "both must be degrees, such as 31.230400,121.473700".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_two_numbers() {
        assert_eq!(position("31.2304, 121.4737"), Ok((31_230_400, 121_473_700)));
        assert_eq!(position("-0.0000005,180"), Ok((-1, 180_000_000)));
        for text in ["", "31", "31,", "north,south", "NaN,1", "inf,1"] {
            assert!(position(text).is_err(), "{text}");
        }
    }
}
