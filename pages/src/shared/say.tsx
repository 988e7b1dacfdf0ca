import { type Problem, asProblem } from './api';
import { problemText } from './i18n';
import { createStore, useStore } from './store';

type Tone = 'plain' | 'good' | 'bad';
const said = createStore<{ id: number; text: string; tone: Tone }[]>([]);
let last = 0;

/** Says a short thing at the foot of the page; a screen reader speaks it. */
export function say(text: string, tone: Tone = 'plain'): void {
  const id = (last += 1);
  said.set((now) => [...now.slice(-2), { id, text, tone }]);
  setTimeout(() => said.set((now) => now.filter((one) => one.id !== id)), tone === 'bad' ? 6000 : 3500);
}

/** Says what went wrong, in the person's words. A person who turned away from a dialog did nothing wrong. */
export function sayProblem(error: unknown): Problem {
  const problem = asProblem(error);
  if (problem.code !== 'turned_away' && problem.message !== 'AbortError') say(problemText(problem), 'bad');
  return problem;
}

/** Put once at the root of an application. */
export function Said() {
  const all = useStore(said);
  return (
    <div className="spoken" role="status" aria-live="polite">
      {all.map((one) => (
        <div key={one.id} className="spoken-one" data-tone={one.tone}>{one.text}</div>
      ))}
    </div>
  );
}
