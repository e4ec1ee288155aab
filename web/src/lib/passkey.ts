import { fromBase64, toBase64 } from "./bytes.ts";

// Passkeys (WebAuthn level 3), with the JSON forms of the options and the answers.

interface CreationJSON {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: { id: string; type: "public-key"; transports?: AuthenticatorTransport[] }[];
  [k: string]: unknown;
}

interface RequestJSON {
  challenge: string;
  allowCredentials?: { id: string; type: "public-key"; transports?: AuthenticatorTransport[] }[];
  [k: string]: unknown;
}

// why says what is missing for passkeys here, as a sentence; empty if nothing is.
export function missing(): string {
  if (!isSecureContext) return "Passkeys work only over https (or on localhost). Open this page by its secure address.";
  if (!("PublicKeyCredential" in globalThis) || !navigator.credentials) {
    return "This browser has no passkeys. Use a current Safari, Chrome, Edge or Firefox, and turn on the phone's screen lock.";
  }
  return "";
}

// refusal turns what a browser throws into a sentence that says what to do next.
export function refusal(e: unknown): string {
  const name = e instanceof Error ? e.name : "";
  switch (name) {
    case "NotAllowedError":
    case "AbortError":
      return "The passkey was not confirmed. Try again when you are ready.";
    case "InvalidStateError":
      return "This device already has a passkey for this account. Sign in with it.";
    case "SecurityError":
      return "This address is not the one the passkey was made for. Open the app by its usual address.";
    case "NotSupportedError":
    case "ConstraintError":
      return "This device cannot make a passkey with a screen lock. Turn on its PIN, fingerprint or face unlock.";
  }
  return e instanceof Error && e.message ? e.message : "The passkey did not work. Try again.";
}

// The credential that this browser signed in with, so that the slide asks for the same one and not for another person's.
const memory = "eyebolt.credential";
export const remembered = (): string => localStorage.getItem(memory) ?? "";

export async function register(options: { publicKey: CreationJSON }): Promise<unknown> {
  const p = options.publicKey;
  const c = (await navigator.credentials.create({
    publicKey: {
      ...(p as unknown as PublicKeyCredentialCreationOptions),
      challenge: fromBase64(p.challenge),
      user: { ...p.user, id: fromBase64(p.user.id) },
      excludeCredentials: (p.excludeCredentials ?? []).map((d) => ({ ...d, id: fromBase64(d.id) })),
    },
  })) as PublicKeyCredential | null;
  if (c === null) throw new DOMException("", "NotAllowedError");
  const r = c.response as AuthenticatorAttestationResponse;
  localStorage.setItem(memory, c.id);
  return {
    id: c.id,
    rawId: toBase64(c.rawId),
    type: c.type,
    authenticatorAttachment: c.authenticatorAttachment,
    clientExtensionResults: c.getClientExtensionResults(),
    response: {
      clientDataJSON: toBase64(r.clientDataJSON),
      attestationObject: toBase64(r.attestationObject),
      transports: r.getTransports?.() ?? [],
    },
  };
}

export async function assert(options: { publicKey: RequestJSON }): Promise<unknown> {
  const p = options.publicKey;
  const c = (await navigator.credentials.get({
    publicKey: {
      ...(p as unknown as PublicKeyCredentialRequestOptions),
      challenge: fromBase64(p.challenge),
      allowCredentials: (p.allowCredentials ?? []).map((d) => ({ ...d, id: fromBase64(d.id) })),
    },
  })) as PublicKeyCredential | null;
  if (c === null) throw new DOMException("", "NotAllowedError");
  const r = c.response as AuthenticatorAssertionResponse;
  return {
    id: c.id,
    rawId: toBase64(c.rawId),
    type: c.type,
    authenticatorAttachment: c.authenticatorAttachment,
    clientExtensionResults: c.getClientExtensionResults(),
    response: {
      clientDataJSON: toBase64(r.clientDataJSON),
      authenticatorData: toBase64(r.authenticatorData),
      signature: toBase64(r.signature),
      userHandle: r.userHandle && r.userHandle.byteLength > 0 ? toBase64(r.userHandle) : undefined,
    },
  };
}

export function remember(credential: unknown): void {
  const id = (credential as { id?: string }).id;
  if (id) localStorage.setItem(memory, id);
}

// sign is the courier's or the resident's word over a challenge: user verification is required (S2), and within the 30 s
// that a nonce lives.
export function sign(challenge: string, credentials: string[] = []): Promise<unknown> {
  const ids = credentials.length > 0 ? credentials : remembered() ? [remembered()] : [];
  return assert({
    publicKey: {
      challenge,
      userVerification: "required",
      timeout: 30_000,
      allowCredentials: ids.map((id) => ({ id, type: "public-key" })),
    },
  });
}
