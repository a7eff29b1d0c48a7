// This device's passkeys, by the browser's Web Authentication. What was refused becomes a code with a sentence.

import { DeviceError } from './problem';
import type { Assertion, Attestation, PasskeyRequest } from './schema';

/** What a new device answers. */
export function register(request: PasskeyRequest): Promise<Attestation> {
  return asked(async () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(request.public_key as unknown as PublicKeyCredentialCreationOptionsJSON);
    const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
    const response = made.response as AuthenticatorAttestationResponse;
    return {
      credential_id: base64url(made.rawId),
      client_data_json: base64url(response.clientDataJSON),
      attestation_object: base64url(response.attestationObject),
      transports: response.getTransports(),
    };
  });
}

/** What a bound device answers: it signs in or approves. */
export function answer(request: PasskeyRequest): Promise<Assertion> {
  return asked(async () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(request.public_key as unknown as PublicKeyCredentialRequestOptionsJSON);
    const made = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
    const response = made.response as AuthenticatorAssertionResponse;
    return {
      credential_id: base64url(made.rawId),
      client_data_json: base64url(response.clientDataJSON),
      authenticator_data: base64url(response.authenticatorData),
      signature: base64url(response.signature),
      user_handle: response.userHandle ? base64url(response.userHandle) : null,
    };
  });
}

/** The challenge of a request in hexadecimal, as an approval of the device that answers it names it. */
export function challengeOf(request: PasskeyRequest): string {
  const text = String(request.public_key['challenge']).replaceAll('-', '+').replaceAll('_', '/');
  return [...atob(text)].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function base64url(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

async function asked<T>(work: () => Promise<T>): Promise<T> {
  // A browser from before 2024, or a page at an address in numbers or without TLS: passkeys hold at a name only.
  if (typeof PublicKeyCredential === 'undefined') throw new DeviceError('passkey_origin');
  try {
    return await work();
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'SecurityError') throw new DeviceError('passkey_origin');
    if (name === 'InvalidStateError') throw new DeviceError('passkey_taken');
    // Cancelled, timed out, or no such passkey here: the browser does not say which.
    if (name === 'NotAllowedError' || name === 'AbortError') throw new DeviceError('approval_required');
    throw new DeviceError('passkey_invalid');
  }
}
