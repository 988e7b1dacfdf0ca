/** The mock's answers for till, operator and explorer. They come before the wallet's, and leave to it what they don't know. */
import { Refused, type Routes } from './mock';
import { routes as console_ } from './mock-console';
import { routes as till } from './mock-till';
import { routes as wallet } from './mock-wallet';

const mine: Routes = {
  ...till,
  ...console_,
  'GET /v1/session': (call) => {
    const told = wallet['GET /v1/session']?.(call);
    return told && !(told instanceof Refused) ? { ...told, roles: ['operator', 'approver', 'auditor', 'arbiter'] } : told;
  },
};

/** The same path in other words, so that it is found before the wallet's own. */
const before = (name: string) => name.replace(/([A-Za-z][A-Za-z_:-]*)$/, '(?:$1)');

export const routes: Routes = Object.fromEntries(
  Object.entries(mine).map(([name, act]) => [
    before(name),
    (call) => {
      const told = act(call);
      return told === undefined ? (wallet[name]?.(call) ?? new Refused('not_found', `the mock knows no such thing: ${name}`, 404)) : told;
    },
  ]),
);
