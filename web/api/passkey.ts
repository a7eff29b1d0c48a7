// Passkeys in the browser: the options that the server made in, the parts of the device's answer that count out.

import type { Assertion, Attestation, PasskeyRequest } from './types';

/** Whether this browser can do passkeys. */
export const passkeysWork = (): boolean => typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;

/** The device did nothing: its owner gave up, or it cannot. */
export class NoPasskeyError extends Error {}

/** Has a new device make a passkey. Throws `NoPasskeyError` when it does not. */
export async function makePasskey({ public_key }: PasskeyRequest): Promise<Attestation> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(public_key as unknown as PublicKeyCredentialCreationOptionsJSON);
  const made = await asked(navigator.credentials.create({ publicKey }));
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    credential_id: made.id,
    client_data_json: base64url(response.clientDataJSON),
    attestation_object: base64url(response.attestationObject),
    transports: response.getTransports(),
  };
}

/** Has a bound device answer. Throws `NoPasskeyError` when none does. */
export async function usePasskey({ public_key }: PasskeyRequest): Promise<Assertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(public_key as unknown as PublicKeyCredentialRequestOptionsJSON);
  const answered = await asked(navigator.credentials.get({ publicKey }));
  const response = answered.response as AuthenticatorAssertionResponse;
  return {
    credential_id: answered.id,
    client_data_json: base64url(response.clientDataJSON),
    authenticator_data: base64url(response.authenticatorData),
    signature: base64url(response.signature),
    user_handle: response.userHandle ? base64url(response.userHandle) : null,
  };
}

async function asked(question: Promise<Credential | null>): Promise<PublicKeyCredential> {
  const answer = await question.catch((cause: unknown) => {
    throw new NoPasskeyError('the device did nothing', { cause });
  });
  if (!(answer instanceof PublicKeyCredential)) throw new NoPasskeyError('no passkey');
  return answer;
}

function base64url(bytes: ArrayBuffer): string {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
