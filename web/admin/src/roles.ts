/** Who may do what. The server decides; this only spares an operator a button that would be refused. */

import type { Role } from './api.gen';

export const ROLES: readonly Role[] = ['viewer', 'support', 'operator', 'owner'];

export function mayDo(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Why a button is off; nothing when it is on. */
export function whyNot(role: Role, needed: Role): string | null {
  return mayDo(role, needed) ? null : `This needs the role ${needed}; yours is ${role}. An owner can change it.`;
}

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: 'sees how the server is, nothing about a player',
  support: 'sees players too, exports their data and closes their connections',
  operator: 'changes players, outages, catalogue texts and the banner; agrees to others’ corrections',
  owner: 'switches the catalogue, sets the budget, drains a server and decides who is an operator',
};
