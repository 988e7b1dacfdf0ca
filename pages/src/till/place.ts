import { createStore, useStore } from '../shared/store';

/** Which shop and till this device stands for; kept on the device. */
export interface Place {
  shop: string;
  till: string;
}

const KEPT = 'formicary.till';

function kept(): Place {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Partial<Place>;
    return { shop: found.shop ?? '', till: found.till ?? '' };
  } catch {
    return { shop: '', till: '' };
  }
}

const place = createStore<Place>(kept());
export const usePlace = (): Place => useStore(place);

export function choosePlace(next: Place): void {
  place.set(next);
  try { localStorage.setItem(KEPT, JSON.stringify(next)); } catch { /* private mode */ }
}

// ── small wishes of this device ──

export interface Wishes {
  sound: boolean;
  tip: 'none' | 'ask';
  exit: boolean;
}

const WISHES = 'formicary.till.wishes';
const wishes = createStore<Wishes>((() => {
  try {
    return { sound: false, tip: 'none', exit: false, ...(JSON.parse(localStorage.getItem(WISHES) ?? '{}') as Partial<Wishes>) };
  } catch {
    return { sound: false, tip: 'none', exit: false };
  }
})());
export const useWishes = (): Wishes => useStore(wishes);

export function wish(change: Partial<Wishes>): void {
  wishes.set((now) => ({ ...now, ...change }));
  try { localStorage.setItem(WISHES, JSON.stringify(wishes.get())); } catch { /* private mode */ }
}

/** Two notes when money has come, if the shop wants to hear it. */
export function ring(): void {
  if (!wishes.get().sound) return;
  try {
    const sound = new AudioContext();
    for (const [at, pitch] of [[0, 660], [0.13, 990]] as const) {
      const note = sound.createOscillator();
      const loud = sound.createGain();
      note.frequency.value = pitch;
      loud.gain.setValueAtTime(0.0001, sound.currentTime + at);
      loud.gain.exponentialRampToValueAtTime(0.25, sound.currentTime + at + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + at + 0.32);
      note.connect(loud).connect(sound.destination);
      note.start(sound.currentTime + at);
      note.stop(sound.currentTime + at + 0.35);
    }
    setTimeout(() => void sound.close(), 900);
  } catch { /* no sound here */ }
}
