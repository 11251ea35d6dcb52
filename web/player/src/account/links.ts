/** Links in mails: `#reset=CODE` and `#verify=CODE`. Behind the `#`, so that no server and no referrer sees the code. */

export interface MailLink {
  kind: 'reset' | 'verify';
  code: string;
}

export function readLink(hash: string): MailLink | null {
  const [, kind, code] = /^#(reset|verify)=([\w-]{1,200})$/.exec(hash) ?? [];
  return code === undefined ? null : { kind: kind as MailLink['kind'], code };
}

/** Reads the link and takes it out of the address, so that it is not kept in the history. */
export function takeLink(): MailLink | null {
  const link = readLink(location.hash);
  if (link !== null) history.replaceState(null, '', location.pathname + location.search);
  return link;
}
