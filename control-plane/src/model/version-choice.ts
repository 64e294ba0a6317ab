/** How a client says which version of a service it wants while several serve, and is kept at the one that it had. */
import type { FleetService } from './fleet.ts';
import { cookieOf, parameters, type SessionRequest } from './request.ts';

export const VERSION_HEADER = 'x-agent-version';
export const VERSION_QUERY = 'agent-version';
export const versionCookie = (service: string): string => `switchboard-version-${service}`;

/** Percent of such requests by version; undefined: any instance will do. What a client asks for now goes before what it had. */
export function versionsFor(
  { name, shares }: Pick<FleetService, 'name' | 'shares'>,
  request: SessionRequest,
): ReadonlyMap<number, number> | undefined {
  if (shares === undefined) return undefined;
  const named = [
    request.headers.get(VERSION_HEADER),
    parameters(request.query, VERSION_QUERY)[0],
    cookieOf(request, versionCookie(name)),
  ];
  for (const text of named) {
    const found = shares.find(({ version }) => String(version) === text);
    if (found !== undefined) return new Map([[found.version, 100]]);
  }
  return new Map(shares.map(({ version, weight }) => [version, weight]));
}
