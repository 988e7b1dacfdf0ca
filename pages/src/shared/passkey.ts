import { startAuthentication, startRegistration } from '@simplewebauthn/browser';
import { Problem, tell } from './api';

/** Begun: what the browser's authenticator needs, and the door's ticket for the second step. */
interface Begun {
  options: unknown;
  ticket: string;
  [more: string]: unknown;
}

export const passkeysWork = (): boolean => typeof window.PublicKeyCredential === 'function' && window.isSecureContext;

async function gently<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    throw new Problem(name === 'NotAllowedError' || name === 'AbortError' ? 'passkey_turned_away' : 'passkey_failed', 0);
  }
}

type Json = Parameters<typeof startRegistration>[0]['optionsJSON'];
type AskJson = Parameters<typeof startAuthentication>[0]['optionsJSON'];
const inner = (options: unknown): unknown => (options as { publicKey?: unknown }).publicKey ?? options;

/** Makes a passkey with options that were begun already. */
export const makePasskey = (options: unknown) => gently(() => startRegistration({ optionsJSON: inner(options) as Json }));
export const usePasskey = (options: unknown) => gently(() => startAuthentication({ optionsJSON: inner(options) as AskJson }));

export async function signInWithPasskey(alias?: string): Promise<void> {
  const begun = await tell<Begun>('/v1/sign-in/begin', alias ? { alias } : {});
  await tell('/v1/sign-in/finish', { ticket: begun.ticket, credential: await usePasskey(begun.options) });
}

export const signInWithPin = (alias: string, pin: string): Promise<object> => tell('/v1/sign-in/pin', { alias, pin });

export async function confirmWithPasskey(): Promise<void> {
  const begun = await tell<Begun>('/v1/confirm/begin', {});
  await tell('/v1/confirm/finish', { ticket: begun.ticket, credential: await usePasskey(begun.options) });
}

export async function confirmWithPin(pin: string): Promise<void> {
  const begun = await tell<Begun>('/v1/confirm/begin', {});
  await tell('/v1/confirm/finish', { ticket: begun.ticket, pin });
}
