import { Problem, ask, forget, onSignedOut, tell } from './api';
import { createStore, useStore } from './store';
import type { Person, Profile } from './answers';

/** Who sits before the page. */
export interface Session {
  state: 'unknown' | 'out' | 'in' | 'offline';
  person?: Person;
  profile?: Profile;
}

export const session = createStore<Session>({ state: 'unknown' });
export const useSession = (): Session => useStore(session);

/** Reads who is signed in; call it at the start and after signing in. */
export async function readSession(): Promise<Session> {
  onSignedOut(() => session.set((now) => (now.state === 'in' ? { state: 'out' } : now)));
  try {
    await ask('/v1/session');
    const [person, profile] = await Promise.all([ask<Person>('/v1/wallet/me'), ask<Profile>('/v1/profile').catch(() => undefined)]);
    session.set({ state: 'in', person, profile });
  } catch (error) {
    const offline = error instanceof Problem && error.code === 'offline';
    session.set({ state: offline ? 'offline' : 'out' });
  }
  return session.get();
}

export async function signOut(): Promise<void> {
  await tell('/v1/session', {}, { method: 'DELETE' }).catch(() => undefined);
  forget();
  session.set({ state: 'out' });
}
